"""A registered bundle grades at a site in place of its model, in versions that are append-only by a trigger."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from screening.append_only import AppendOnlyTriggers

TRIGGERS = AppendOnlyTriggers(("screening_bundleactivation",), "screening_refuse_activation_change")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0072_drift_checks"),
    ]

    operations = [
        migrations.AlterField(
            model_name="grading",
            name="failure_code",
            field=models.CharField(
                blank=True,
                choices=[
                    ("unreadable", "The photograph could not be read."),
                    ("file_missing", "The stored photograph is missing."),
                    ("storage_unavailable", "The stored photograph could not be fetched."),
                    ("time_limit", "Grading took too long and was stopped."),
                    ("worker_lost", "Grading was interrupted three times."),
                    ("model_changed", "The model was replaced while this photograph waited."),
                    ("model_unavailable", "The model that this site uses cannot be loaded; no other one graded."),
                    ("unexpected", "Grading failed unexpectedly."),
                ],
                default="",
                max_length=20,
                verbose_name="failure code",
            ),
        ),
        migrations.AlterField(
            model_name="regrading",
            name="state",
            field=models.CharField(
                choices=[
                    ("running", "Grading, when no other photograph waits"),
                    ("paused", "Paused"),
                    ("done", "Done"),
                    ("cancelled", "Cancelled"),
                    ("failed", "Ended: this version of the model is not in use any more"),
                ],
                db_index=True,
                default="running",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="shadowgrading",
            name="failure_code",
            field=models.CharField(
                blank=True,
                choices=[
                    ("unreadable", "The photograph could not be read."),
                    ("file_missing", "The stored photograph is missing."),
                    ("storage_unavailable", "The stored photograph could not be fetched."),
                    ("time_limit", "Grading took too long and was stopped."),
                    ("worker_lost", "Grading was interrupted three times."),
                    ("model_changed", "The model was replaced while this photograph waited."),
                    ("model_unavailable", "The model that this site uses cannot be loaded; no other one graded."),
                    ("unexpected", "Grading failed unexpectedly."),
                ],
                default="",
                max_length=20,
                verbose_name="failure code",
            ),
        ),
        migrations.CreateModel(
            name="BundleActivation",
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
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("report", models.JSONField(blank=True, default=dict, verbose_name="report of the gate")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "bundle",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="activations",
                        to="screening.registeredbundle",
                        verbose_name="bundle",
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
                        related_name="activations",
                        to="screening.site",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "activation of a bundle",
                "verbose_name_plural": "activations of bundles",
                "ordering": ["-created_at", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("site", "model", "number"), name="activation_number_once"),
                    models.CheckConstraint(
                        condition=models.Q(("model__in", ["accurate", "fast"])), name="activation_model_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="activation_has_reason"
                    ),
                ],
            },
        ),
        migrations.RunPython(TRIGGERS.create, TRIGGERS.drop),
    ]
