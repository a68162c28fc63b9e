"""Corrections, append-only by triggers; reading rounds; eyes that were not photographed; merged patients.

NB: To change a constraint SQLite creates the table again, without its triggers: those of 0002 are dropped and created.
"""

import uuid
from importlib import import_module
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from screening.append_only import AppendOnlyTriggers

earlier: Any = import_module("screening.migrations.0002_append_only_audit")
TRIGGERS = AppendOnlyTriggers(("screening_correction",), "screening_refuse_correction_change")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0008_idempotency_keys"),
    ]

    operations = [
        migrations.RunPython(earlier.TRIGGERS.drop, earlier.TRIGGERS.create),
        migrations.CreateModel(
            name="Correction",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("exam_returned", "Exam returned to the photographer"),
                            ("exam_cancelled", "Exam cancelled"),
                            ("exam_moved", "Exam moved to another patient"),
                            ("image_moved", "Photograph moved to another patient"),
                            ("image_withdrawn", "Photograph withdrawn from a signed exam"),
                            ("review_in_error", "Result entered in error"),
                            ("patients_merged", "Patients merged"),
                            ("patients_unmerged", "Merged patients parted"),
                        ],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
            ],
            options={
                "verbose_name": "correction",
                "verbose_name_plural": "corrections",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="firstreading",
            name="first_reading_once",
        ),
        migrations.RemoveConstraint(
            model_name="review",
            name="review_signed_once",
        ),
        migrations.AddField(
            model_name="exam",
            name="left_eye_not_photographed_reason",
            field=models.CharField(
                blank=True, default="", max_length=200, verbose_name="left eye not photographed: reason"
            ),
        ),
        migrations.AddField(
            model_name="exam",
            name="reading_round",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="reading round"),
        ),
        migrations.AddField(
            model_name="exam",
            name="returned_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="returned to the photographer at"),
        ),
        migrations.AddField(
            model_name="exam",
            name="returned_reason",
            field=models.CharField(blank=True, default="", max_length=300, verbose_name="returned: reason"),
        ),
        migrations.AddField(
            model_name="exam",
            name="right_eye_not_photographed_reason",
            field=models.CharField(
                blank=True, default="", max_length=200, verbose_name="right eye not photographed: reason"
            ),
        ),
        migrations.AddField(
            model_name="eyefinding",
            name="is_photographed",
            field=models.BooleanField(default=True, verbose_name="has a photograph"),
        ),
        migrations.AddField(
            model_name="firstreading",
            name="reading_round",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="reading round"),
        ),
        migrations.AddField(
            model_name="patient",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merged_from",
                to="screening.patient",
            ),
        ),
        migrations.AddField(
            model_name="review",
            name="reading_round",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="reading round"),
        ),
        migrations.AddConstraint(
            model_name="eyefinding",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_photographed", True), ("is_gradable", False), _connector="OR"),
                name="finding_gradable_only_with_photograph",
            ),
        ),
        migrations.AddConstraint(
            model_name="firstreading",
            constraint=models.UniqueConstraint(
                fields=("exam", "reviewer", "laterality", "reading_round"), name="first_reading_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.UniqueConstraint(
                condition=models.Q(("amends__isnull", True)),
                fields=("exam", "reading_round"),
                name="review_signed_once",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="exam",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="screening.exam",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="from_patient",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections_from",
                to="screening.patient",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="image",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="screening.fundusimage",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="made_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="review",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="screening.review",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="site",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="screening.site"),
        ),
        migrations.AddField(
            model_name="correction",
            name="to_exam",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections_to",
                to="screening.exam",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="to_patient",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections_to",
                to="screening.patient",
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="correction_has_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "exam_returned",
                            "exam_cancelled",
                            "exam_moved",
                            "image_moved",
                            "image_withdrawn",
                            "review_in_error",
                            "patients_merged",
                            "patients_unmerged",
                        ],
                    )
                ),
                name="correction_kind_known",
            ),
        ),
        migrations.RunPython(earlier.TRIGGERS.create, earlier.TRIGGERS.drop),
        migrations.RunPython(TRIGGERS.create, TRIGGERS.drop),
    ]
