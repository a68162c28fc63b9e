"""Teaching sets, their cases, readings and certificates."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

OPERATIONS = [
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
            (
                "site",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT,
                    related_name="teaching_sets",
                    to="screening.site",
                    verbose_name="site",
                ),
            ),
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
            (
                "created_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("archived_at", models.DateTimeField(blank=True, null=True, verbose_name="archived at")),
        ],
        options={
            "verbose_name": "teaching set",
            "verbose_name_plural": "teaching sets",
            "ordering": ["name", "id"],
            "constraints": [
                models.UniqueConstraint(fields=("site", "name"), name="teaching_set_name_once"),
                models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="teaching_set_has_name"),
                models.CheckConstraint(
                    condition=models.Q(("shows_truth__in", ["each", "end"])), name="teaching_set_truth_known"
                ),
            ],
        },
    ),
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
            (
                "teaching_set",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="cases", to="screening.teachingset"
                ),
            ),
            (
                "exam",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="teaching_cases",
                    to="screening.exam",
                ),
            ),
            (
                "review",
                models.ForeignKey(
                    null=True,
                    on_delete=django.db.models.deletion.SET_NULL,
                    related_name="teaching_cases",
                    to="screening.review",
                ),
            ),
            ("number", models.PositiveSmallIntegerField(verbose_name="number")),
            ("from_version", models.PositiveSmallIntegerField(verbose_name="from version")),
            ("to_version", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="to version")),
            ("truth", models.JSONField(verbose_name="signed findings")),
            (
                "added_by",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
        ],
        options={
            "verbose_name": "exam of a teaching set",
            "verbose_name_plural": "exams of teaching sets",
            "ordering": ["number", "id"],
            "constraints": [
                models.UniqueConstraint(fields=("teaching_set", "number"), name="teaching_case_number_once"),
                models.UniqueConstraint(
                    condition=models.Q(("to_version__isnull", True)),
                    fields=("teaching_set", "exam"),
                    name="teaching_case_exam_once",
                ),
            ],
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
                "case",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="readings", to="screening.teachingcase"
                ),
            ),
            (
                "reader",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
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
            "constraints": [
                models.UniqueConstraint(fields=("case", "reader", "laterality"), name="teaching_reading_once"),
                models.CheckConstraint(
                    condition=models.Q(("grade__isnull", True), ("grade__lte", 4), _connector="OR"),
                    name="teaching_reading_grade_0_to_4",
                ),
                models.CheckConstraint(
                    condition=models.Q(
                        ("macular_oedema__in", ["none", "suspected", "not_centre", "centre", "unknown"])
                    ),
                    name="teaching_reading_oedema_known",
                ),
            ],
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
            (
                "teaching_set",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="certificates", to="screening.teachingset"
                ),
            ),
            (
                "reader",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                ),
            ),
            ("version", models.PositiveSmallIntegerField(verbose_name="version")),
            ("n_cases", models.PositiveSmallIntegerField(verbose_name="exams")),
            ("metrics", models.JSONField(verbose_name="figures")),
            ("digest", models.CharField(max_length=64, verbose_name="check sum")),
        ],
        options={
            "verbose_name": "certificate of a reader",
            "verbose_name_plural": "certificates of readers",
            "ordering": ["-created_at", "id"],
            "constraints": [
                models.UniqueConstraint(fields=("teaching_set", "version", "reader"), name="teaching_certificate_once")
            ],
        },
    ),
]
