"""Registered bundles, and shadow mode of sites."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0066_programmes"),
    ]

    operations = [
        migrations.CreateModel(
            name="RegisteredBundle",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("folder_name", models.CharField(max_length=80, unique=True, verbose_name="folder")),
                ("model_version", models.CharField(max_length=80, unique=True, verbose_name="model version")),
                ("description_sha256", models.CharField(max_length=64, verbose_name="SHA-256 of bundle.json")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="registered by",
                    ),
                ),
            ],
            options={
                "verbose_name": "registered bundle",
                "verbose_name_plural": "registered bundles",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="ShadowGrading",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "status",
                    models.CharField(
                        choices=[("running", "Grading"), ("done", "Graded"), ("failed", "Failed")],
                        default="running",
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                ("n_attempts", models.PositiveSmallIntegerField(default=1, verbose_name="attempts")),
                ("started_at", models.DateTimeField(verbose_name="started at")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished at")),
                (
                    "failure_code",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unreadable", "The photograph could not be read."),
                            ("file_missing", "The stored photograph is missing."),
                            ("storage_unavailable", "The stored photograph could not be fetched."),
                            ("time_limit", "Grading took too long and was stopped."),
                            ("worker_lost", "Grading was interrupted three times."),
                            ("model_changed", "The model was replaced while this photograph waited."),
                            ("unexpected", "Grading failed unexpectedly."),
                        ],
                        default="",
                        max_length=20,
                        verbose_name="failure code",
                    ),
                ),
                ("is_gradable", models.BooleanField(blank=True, null=True, verbose_name="is gradable")),
                ("grade", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="grade")),
                (
                    "p_referable",
                    models.FloatField(blank=True, null=True, verbose_name="probability that it is referable"),
                ),
                ("is_referable", models.BooleanField(blank=True, null=True, verbose_name="is referable")),
                (
                    "suspects_oedema",
                    models.BooleanField(blank=True, null=True, verbose_name="suspicion of macular oedema"),
                ),
                (
                    "bundle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gradings",
                        to="screening.registeredbundle",
                    ),
                ),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="shadow_gradings",
                        to="screening.fundusimage",
                    ),
                ),
            ],
            options={
                "verbose_name": "shadow grading",
                "verbose_name_plural": "shadow gradings",
                "ordering": ["-created_at", "id"],
                "indexes": [models.Index(fields=["status", "started_at"], name="shadow_by_status")],
                "constraints": [
                    models.UniqueConstraint(fields=("image", "bundle"), name="shadow_once_a_bundle"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("grade__isnull", True),
                            models.Q(("grade__lte", 4), ("is_gradable", True), ("status", "done")),
                            _connector="OR",
                        ),
                        name="shadow_grade_only_if_gradable",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "failed"), _negated=True),
                            models.Q(("failure_code", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="shadow_failed_says_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SiteShadow",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("since", models.DateField(blank=True, null=True, verbose_name="exams since")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "bundle",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="shadows",
                        to="screening.registeredbundle",
                        verbose_name="model",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="created by",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="shadows",
                        to="screening.site",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "shadow mode of a site",
                "verbose_name_plural": "shadow modes of sites",
                "ordering": ["-created_at", "id"],
                "indexes": [models.Index(fields=["site", "-created_at"], name="shadows_of_site")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("bundle__isnull", True), ("since__isnull", True)),
                            models.Q(("bundle__isnull", False), ("since__isnull", False)),
                            _connector="OR",
                        ),
                        name="shadow_has_first_day",
                    )
                ],
            },
        ),
    ]
