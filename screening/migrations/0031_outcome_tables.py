"""Outcome tables of sites, append-only by triggers; each review names the table that it was signed by."""

import uuid
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from screening.append_only import AppendOnlyTriggers

FIRST_VERSION = 1
TRIGGERS = AppendOnlyTriggers(("screening_siteoutcometable",), "screening_refuse_outcome_table_change")


def name_built_in_table(apps: Any, _editor: Any) -> None:
    """Reviews that are signed already follow from the rules that were in the program."""
    apps.get_model("screening", "Review").objects.update(built_in_version=FIRST_VERSION)


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0030_lesion_marks"),
    ]

    operations = [
        migrations.AddField(
            model_name="review",
            name="built_in_version",
            field=models.PositiveSmallIntegerField(
                blank=True, null=True, verbose_name="version of the built-in outcome table"
            ),
        ),
        migrations.AddField(
            model_name="review",
            name="outcome_rules",
            field=models.JSONField(blank=True, default=list, verbose_name="rules that set the outcome"),
        ),
        migrations.CreateModel(
            name="SiteOutcomeTable",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "scale",
                    models.CharField(
                        choices=[
                            ("icdr", "ICDR, five grades"),
                            ("england", "England, features-based (R0 to R3A)"),
                            ("scotland", "Scotland (R0 to R4)"),
                        ],
                        max_length=8,
                        verbose_name="grading scale",
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("valid_from", models.DateField(verbose_name="valid from")),
                ("rules", models.JSONField(verbose_name="rules")),
                (
                    "negative_months",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="months after two negative screens in a row"
                    ),
                ),
                (
                    "pregnancy_months",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="months at most in pregnancy"),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
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
                        related_name="outcome_tables",
                        to="screening.site",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "outcome table of a site",
                "verbose_name_plural": "outcome tables of sites",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.AddField(
            model_name="review",
            name="outcome_table",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reviews",
                to="screening.siteoutcometable",
                verbose_name="outcome table",
            ),
        ),
        migrations.RunPython(name_built_in_table, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("built_in_version__isnull", False), ("outcome_table__isnull", True)),
                    models.Q(("built_in_version__isnull", True), ("outcome_table__isnull", False)),
                    _connector="OR",
                ),
                name="review_has_one_outcome_table",
            ),
        ),
        migrations.AddIndex(
            model_name="siteoutcometable",
            index=models.Index(fields=["site", "scale", "-valid_from", "-number"], name="outcome_table_in_force"),
        ),
        migrations.AddConstraint(
            model_name="siteoutcometable",
            constraint=models.UniqueConstraint(fields=("site", "scale", "number"), name="outcome_table_version_once"),
        ),
        migrations.AddConstraint(
            model_name="siteoutcometable",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 1)), name="outcome_table_version_from_1"
            ),
        ),
        migrations.AddConstraint(
            model_name="siteoutcometable",
            constraint=models.CheckConstraint(
                condition=models.Q(("scale__in", ["icdr", "england", "scotland"])), name="outcome_table_scale_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="siteoutcometable",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="outcome_table_has_reason"
            ),
        ),
        migrations.RunPython(TRIGGERS.create, TRIGGERS.drop),
    ]
