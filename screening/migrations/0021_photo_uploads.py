"""Add uploads in parts."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0020_not_blind_readings"),
    ]

    operations = [
        migrations.CreateModel(
            name="PhotoUpload",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("n_bytes", models.PositiveIntegerField(verbose_name="size (bytes)")),
                ("n_received", models.PositiveIntegerField(default=0, verbose_name="received (bytes)")),
                ("parts", models.JSONField(default=list, verbose_name="files of its parts")),
                (
                    "laterality",
                    models.CharField(
                        blank=True,
                        choices=[("OD", "Right eye (OD)"), ("OS", "Left eye (OS)")],
                        default="",
                        max_length=2,
                        verbose_name="eye",
                    ),
                ),
                (
                    "field",
                    models.CharField(
                        blank=True,
                        choices=[("macula", "Macula-centred"), ("disc", "Disc-centred"), ("other", "Other field")],
                        default="",
                        max_length=10,
                        verbose_name="field",
                    ),
                ),
                ("expires_at", models.DateTimeField(db_index=True, verbose_name="expires at")),
                (
                    "exam",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="uploads", to="screening.exam"
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "upload",
                "verbose_name_plural": "uploads",
                "ordering": ["created_at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("n_bytes__gte", 1), ("n_received__lte", models.F("n_bytes"))),
                        name="upload_received_in_size",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("laterality__in", ["", "OD", "OS"])), name="upload_laterality_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("field__in", ["", "macula", "disc", "other"])), name="upload_field_known"
                    ),
                ],
            },
        ),
    ]
