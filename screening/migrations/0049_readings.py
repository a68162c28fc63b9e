"""Signed readings of exams that several persons read, append-only by triggers, with their marks."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from screening.append_only import AppendOnlyTriggers

TRIGGERS = AppendOnlyTriggers(("screening_reading", "screening_readingeye"), "screening_refuse_reading_change")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0048_bookings"),
    ]

    operations = [
        migrations.CreateModel(
            name="Reading",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("first", "First reading"),
                            ("second", "Second reading"),
                            ("arbitration", "Arbitration"),
                            ("repeat", "Repeat"),
                        ],
                        max_length=12,
                        verbose_name="stage",
                    ),
                ),
                ("reading_round", models.PositiveSmallIntegerField(default=0, verbose_name="reading round")),
                ("signed_at", models.DateTimeField(verbose_name="signed at")),
                (
                    "scale",
                    models.CharField(
                        choices=[
                            ("icdr", "ICDR, five grades"),
                            ("england", "England, features-based (R0 to R3A)"),
                            ("scotland", "Scotland (R0 to R4)"),
                        ],
                        default="icdr",
                        max_length=8,
                        verbose_name="grading scale",
                    ),
                ),
                ("note", models.TextField(blank=True, default="", max_length=2000, verbose_name="note")),
                (
                    "reason",
                    models.CharField(blank=True, default="", max_length=300, verbose_name="reason of the decision"),
                ),
            ],
            options={
                "verbose_name": "reading",
                "verbose_name_plural": "readings",
                "ordering": ["signed_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="ReadingEye",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("lesions", models.JSONField(blank=True, default=dict, verbose_name="lesions")),
                (
                    "other_disease",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="other disease"),
                ),
                (
                    "ungradable_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("cataract", "Cataract or other opacity"),
                            ("small_pupil", "Small pupil"),
                            ("focus", "Out of focus"),
                            ("artefact", "Reflection, eyelash or dirt"),
                            ("field", "Wrong field of view"),
                            ("other", "Other reason"),
                        ],
                        default="",
                        max_length=20,
                        verbose_name="why ungradable",
                    ),
                ),
                (
                    "retinopathy",
                    models.CharField(
                        blank=True, default="", max_length=4, verbose_name="retinopathy in the scale of the site"
                    ),
                ),
                (
                    "maculopathy",
                    models.CharField(
                        blank=True, default="", max_length=4, verbose_name="maculopathy in the scale of the site"
                    ),
                ),
                (
                    "photocoagulation",
                    models.CharField(
                        blank=True, default="", max_length=4, verbose_name="photocoagulation in the scale of the site"
                    ),
                ),
                (
                    "contradiction_reason",
                    models.CharField(
                        blank=True, default="", max_length=300, verbose_name="why the grade differs from the lesions"
                    ),
                ),
                ("landmarks", models.JSONField(blank=True, default=dict, verbose_name="optic disc and fovea")),
                (
                    "laterality",
                    models.CharField(
                        choices=[("OD", "Right eye (OD)"), ("OS", "Left eye (OS)")], max_length=2, verbose_name="eye"
                    ),
                ),
                ("is_absent", models.BooleanField(default=False, verbose_name="eye is absent")),
                (
                    "absent_reason",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="eye absent: reason"),
                ),
                ("is_photographed", models.BooleanField(default=True, verbose_name="has a photograph")),
                ("is_gradable", models.BooleanField(verbose_name="is gradable")),
                ("grade", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="grade")),
                (
                    "macular_oedema",
                    models.CharField(
                        choices=[
                            ("none", "None"),
                            ("suspected", "Suspected"),
                            ("not_centre", "Present, centre not involved"),
                            ("centre", "Present, centre involved"),
                            ("unknown", "Cannot tell"),
                        ],
                        default="unknown",
                        max_length=12,
                        verbose_name="macular oedema",
                    ),
                ),
                (
                    "changed_reason",
                    models.CharField(
                        blank=True, default="", max_length=300, verbose_name="why changed after the reveal"
                    ),
                ),
                ("acuity", models.CharField(blank=True, default="", max_length=20, verbose_name="visual acuity")),
            ],
            options={
                "verbose_name": "eye of a reading",
                "verbose_name_plural": "eyes of readings",
                "ordering": ["laterality", "id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="lesionmark",
            name="mark_of_reading_or_finding",
        ),
        migrations.AddField(
            model_name="reading",
            name="exam",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="readings", to="screening.exam"
            ),
        ),
        migrations.AddField(
            model_name="reading",
            name="protocol",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="readings",
                to="screening.siteprotocol",
            ),
        ),
        migrations.AddField(
            model_name="reading",
            name="reader",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="reading",
            name="taken_over",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="screening.reading",
            ),
        ),
        migrations.AddField(
            model_name="readingeye",
            name="reading",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="eyes", to="screening.reading"
            ),
        ),
        migrations.AddField(
            model_name="lesionmark",
            name="reading_eye",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="marks",
                to="screening.readingeye",
            ),
        ),
        migrations.AddConstraint(
            model_name="lesionmark",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("finding__isnull", False), ("first_reading__isnull", True), ("reading_eye__isnull", True)
                    ),
                    models.Q(
                        ("finding__isnull", True), ("first_reading__isnull", False), ("reading_eye__isnull", True)
                    ),
                    models.Q(
                        ("finding__isnull", True), ("first_reading__isnull", True), ("reading_eye__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="mark_of_one_reading_or_finding",
            ),
        ),
        migrations.AddConstraint(
            model_name="lesionmark",
            constraint=models.UniqueConstraint(fields=("reading_eye", "number"), name="mark_number_once_a_reading_eye"),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stage", "repeat"), _negated=True),
                fields=("exam", "reading_round", "stage"),
                name="reading_stage_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stage", "repeat"), _negated=True),
                fields=("exam", "reading_round", "reader"),
                name="reading_once_a_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(("stage__in", ["first", "second", "arbitration", "repeat"])),
                name="reading_stage_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(("scale__in", ["icdr", "england", "scotland"])), name="reading_scale_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("stage", "arbitration"), models.Q(("reason", ""), _negated=True)),
                    models.Q(models.Q(("stage", "arbitration"), _negated=True), ("reason", "")),
                    _connector="OR",
                ),
                name="reading_reason_of_arbitration",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(("taken_over__isnull", True), ("stage", "arbitration"), _connector="OR"),
                name="reading_taken_over_by_arbitration",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("stage", "first"), _negated=True), ("protocol__isnull", False), _connector="OR"
                ),
                name="reading_first_by_protocol",
            ),
        ),
        migrations.AddConstraint(
            model_name="readingeye",
            constraint=models.UniqueConstraint(fields=("reading", "laterality"), name="reading_eye_once"),
        ),
        migrations.AddConstraint(
            model_name="readingeye",
            constraint=models.CheckConstraint(
                condition=models.Q(("laterality__in", ["OD", "OS"])), name="reading_eye_laterality_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="readingeye",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("grade__isnull", False),
                        ("grade__lte", 4),
                        ("is_absent", False),
                        ("is_gradable", True),
                        ("is_photographed", True),
                    ),
                    models.Q(("grade__isnull", True), ("is_gradable", False)),
                    _connector="OR",
                ),
                name="reading_eye_grade_only_if_gradable",
            ),
        ),
        migrations.AddConstraint(
            model_name="readingeye",
            constraint=models.CheckConstraint(
                condition=models.Q(("macular_oedema__in", ["none", "suspected", "not_centre", "centre", "unknown"])),
                name="reading_eye_oedema_known",
            ),
        ),
        migrations.RunPython(TRIGGERS.create, TRIGGERS.drop),
    ]
