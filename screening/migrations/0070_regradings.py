"""Photographs of a period are graded again as a job."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0069_practice_sites"),
    ]

    operations = [
        migrations.CreateModel(
            name="Regrading",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "model",
                    models.CharField(
                        choices=[
                            ("accurate", "Accurate: grades better, takes about six times as long"),
                            ("fast", "Fast: for many photographs and small machines"),
                        ],
                        max_length=8,
                        verbose_name="model",
                    ),
                ),
                ("model_version", models.CharField(max_length=80, verbose_name="model version")),
                ("from_on", models.DateField(verbose_name="exams from")),
                ("to_on", models.DateField(verbose_name="exams until")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Grading, when no other photograph waits"),
                            ("paused", "Paused"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                            ("failed", "Ended: this version of the model is not installed any more"),
                        ],
                        db_index=True,
                        default="running",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("n_images", models.PositiveIntegerField(verbose_name="photographs")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
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
                        related_name="regradings",
                        to="screening.site",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "re-grading",
                "verbose_name_plural": "re-gradings",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="RegradedImage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("begun_at", models.DateTimeField(blank=True, null=True, verbose_name="begun at")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="screening.fundusimage"
                    ),
                ),
                (
                    "new_grading",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="screening.grading",
                    ),
                ),
                (
                    "old_grading",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="screening.grading",
                    ),
                ),
                (
                    "regrading",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="images", to="screening.regrading"
                    ),
                ),
            ],
            options={
                "verbose_name": "photograph of a re-grading",
                "verbose_name_plural": "photographs of re-gradings",
                "ordering": ["id"],
            },
        ),
        migrations.AddIndex(
            model_name="regrading",
            index=models.Index(fields=["site", "-created_at"], name="regradings_of_site"),
        ),
        migrations.AddConstraint(
            model_name="regrading",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["running", "paused", "done", "cancelled", "failed"])),
                name="regrading_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="regrading",
            constraint=models.CheckConstraint(
                condition=models.Q(("to_on__gte", models.F("from_on"))), name="regrading_period_in_order"
            ),
        ),
        migrations.AddIndex(
            model_name="regradedimage",
            index=models.Index(fields=["regrading", "finished_at"], name="regraded_by_progress"),
        ),
        migrations.AddConstraint(
            model_name="regradedimage",
            constraint=models.UniqueConstraint(fields=("regrading", "image"), name="regraded_once_a_job"),
        ),
    ]
