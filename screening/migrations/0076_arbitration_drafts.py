"""A senior reviewer keeps a draft of a decision between two readers."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0075_grading_queue"),
    ]

    operations = [
        migrations.CreateModel(
            name="ArbitrationDraft",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("entries", models.JSONField(default=dict, verbose_name="entries")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                (
                    "page_version",
                    models.CharField(blank=True, default="", max_length=16, verbose_name="version of the page"),
                ),
                ("updated_at", models.DateTimeField(db_index=True, verbose_name="changed at")),
                (
                    "arbiter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "exam",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="screening.exam"
                    ),
                ),
            ],
            options={
                "verbose_name": "draft of a decision",
                "verbose_name_plural": "drafts of decisions",
                "ordering": ["-updated_at", "id"],
                "constraints": [models.UniqueConstraint(fields=("exam", "arbiter"), name="draft_once_an_arbiter")],
            },
        ),
    ]
