"""Add locks of exams."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0032_worklist_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExamLock",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("taken_at", models.DateTimeField(verbose_name="taken at")),
                ("active_at", models.DateTimeField(verbose_name="last activity at")),
                ("expires_at", models.DateTimeField(verbose_name="ends at")),
                (
                    "exam",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lock", to="screening.exam"
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exam_locks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "lock of an exam",
                "verbose_name_plural": "locks of exams",
                "ordering": ["-taken_at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("active_at__lte", models.F("expires_at")), ("taken_at__lte", models.F("active_at"))
                        ),
                        name="exam_lock_times_in_order",
                    )
                ],
            },
        ),
    ]
