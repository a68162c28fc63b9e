"""How a user arranges the reading page."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0023_segments_of_uploads"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReadingLayout",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "view",
                    models.CharField(
                        choices=[
                            ("eyes", "Right and left eye"),
                            ("visits", "This visit and the one before"),
                            ("fields", "Two fields of each eye"),
                        ],
                        default="eyes",
                        max_length=8,
                        verbose_name="view",
                    ),
                ),
                ("shows_panel", models.BooleanField(default=True, verbose_name="shows the side panel")),
                ("shows_strip", models.BooleanField(default=True, verbose_name="shows the strip of photographs")),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reading_layout",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "layout of the reading page",
                "verbose_name_plural": "layouts of the reading page",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("view__in", ["eyes", "visits", "fields"])), name="layout_view_known"
                    )
                ],
            },
        ),
    ]
