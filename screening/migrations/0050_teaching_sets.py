"""Teaching sets, with the role of readers in training. Readings and certificates are append-only by triggers.

Backwards, readers in training lose their role.
"""

import uuid
from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from screening.append_only import AppendOnlyTriggers

outside_readers = import_module("screening.migrations.0045_outside_readers")
TRIGGERS = AppendOnlyTriggers(
    ("screening_teachingreading", "screening_teachingcertificate"), "screening_refuse_teaching_change"
)


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0049_readings"),
    ]

    operations = [
        migrations.CreateModel(
            name="TeachingCase",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("number", models.PositiveSmallIntegerField(verbose_name="number")),
                ("from_version", models.PositiveSmallIntegerField(verbose_name="from version")),
                ("to_version", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="to version")),
                ("truth", models.JSONField(verbose_name="signed findings")),
            ],
            options={
                "verbose_name": "exam of a teaching set",
                "verbose_name_plural": "exams of teaching sets",
                "ordering": ["number", "id"],
            },
        ),
        migrations.CreateModel(
            name="TeachingCertificate",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("version", models.PositiveSmallIntegerField(verbose_name="version")),
                ("n_cases", models.PositiveSmallIntegerField(verbose_name="exams")),
                ("metrics", models.JSONField(verbose_name="figures")),
                ("digest", models.CharField(max_length=64, verbose_name="check sum")),
            ],
            options={
                "verbose_name": "certificate of a reader",
                "verbose_name_plural": "certificates of readers",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="TeachingReading",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "laterality",
                    models.CharField(
                        choices=[("OD", "Right eye (OD)"), ("OS", "Left eye (OS)")], max_length=2, verbose_name="eye"
                    ),
                ),
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
                        max_length=12,
                        verbose_name="macular oedema",
                    ),
                ),
                ("lesions", models.JSONField(blank=True, default=dict, verbose_name="lesions")),
                ("marks", models.TextField(blank=True, default="", verbose_name="marks")),
            ],
            options={
                "verbose_name": "reading of a teaching set",
                "verbose_name_plural": "readings of teaching sets",
                "ordering": ["created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="TeachingSet",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("note", models.CharField(blank=True, default="", max_length=500, verbose_name="note")),
                (
                    "shows_truth",
                    models.CharField(
                        choices=[("each", "after each exam"), ("end", "after all exams")],
                        default="each",
                        max_length=4,
                        verbose_name="readers see what was signed",
                    ),
                ),
                ("version", models.PositiveSmallIntegerField(default=1, verbose_name="version")),
                ("archived_at", models.DateTimeField(blank=True, null=True, verbose_name="archived at")),
            ],
            options={
                "verbose_name": "teaching set",
                "verbose_name_plural": "teaching sets",
                "ordering": ["name", "id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="membership",
            name="membership_role_known",
        ),
        migrations.RunPython(migrations.RunPython.noop, outside_readers.without_role("trainee")),
        migrations.AlterField(
            model_name="membership",
            name="role",
            field=models.CharField(
                choices=[
                    ("photographer", "Photographer"),
                    ("reviewer", "Reviewer"),
                    ("senior_reviewer", "Senior reviewer"),
                    ("manager", "Manager"),
                    ("outside_reader", "Outside reader"),
                    ("trainee", "Reader in training"),
                ],
                max_length=20,
                verbose_name="role",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        ["photographer", "reviewer", "senior_reviewer", "manager", "outside_reader", "trainee"],
                    )
                ),
                name="membership_role_known",
            ),
        ),
        migrations.AddField(
            model_name="teachingcase",
            name="added_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="teachingcase",
            name="exam",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="teaching_cases",
                to="screening.exam",
            ),
        ),
        migrations.AddField(
            model_name="teachingcase",
            name="review",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="teaching_cases",
                to="screening.review",
            ),
        ),
        migrations.AddField(
            model_name="teachingcertificate",
            name="reader",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="teachingreading",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="readings", to="screening.teachingcase"
            ),
        ),
        migrations.AddField(
            model_name="teachingreading",
            name="reader",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="teachingset",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="teachingset",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="teaching_sets",
                to="screening.site",
                verbose_name="site",
            ),
        ),
        migrations.AddField(
            model_name="teachingcertificate",
            name="teaching_set",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="certificates", to="screening.teachingset"
            ),
        ),
        migrations.AddField(
            model_name="teachingcase",
            name="teaching_set",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="cases", to="screening.teachingset"
            ),
        ),
        migrations.AddConstraint(
            model_name="teachingreading",
            constraint=models.UniqueConstraint(fields=("case", "reader", "laterality"), name="teaching_reading_once"),
        ),
        migrations.AddConstraint(
            model_name="teachingreading",
            constraint=models.CheckConstraint(
                condition=models.Q(("grade__isnull", True), ("grade__lte", 4), _connector="OR"),
                name="teaching_reading_grade_0_to_4",
            ),
        ),
        migrations.AddConstraint(
            model_name="teachingreading",
            constraint=models.CheckConstraint(
                condition=models.Q(("macular_oedema__in", ["none", "suspected", "not_centre", "centre", "unknown"])),
                name="teaching_reading_oedema_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="teachingset",
            constraint=models.UniqueConstraint(fields=("site", "name"), name="teaching_set_name_once"),
        ),
        migrations.AddConstraint(
            model_name="teachingset",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="teaching_set_has_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="teachingset",
            constraint=models.CheckConstraint(
                condition=models.Q(("shows_truth__in", ["each", "end"])), name="teaching_set_truth_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="teachingcertificate",
            constraint=models.UniqueConstraint(
                fields=("teaching_set", "version", "reader"), name="teaching_certificate_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="teachingcase",
            constraint=models.UniqueConstraint(fields=("teaching_set", "number"), name="teaching_case_number_once"),
        ),
        migrations.AddConstraint(
            model_name="teachingcase",
            constraint=models.UniqueConstraint(
                condition=models.Q(("to_version__isnull", True)),
                fields=("teaching_set", "exam"),
                name="teaching_case_exam_once",
            ),
        ),
        migrations.RunPython(TRIGGERS.create, TRIGGERS.drop),
    ]
