"""Role of the senior reviewer, and reading protocols of sites, append-only by triggers.

Backwards, a senior reviewer becomes a reviewer, who may do all that is left.
"""

import uuid
from typing import Any

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from screening.append_only import AppendOnlyTriggers

TRIGGERS = AppendOnlyTriggers(("screening_siteprotocol",), "screening_refuse_protocol_change")


def without_seniors(apps: Any, _schema_editor: Any) -> None:
    """Make senior reviewers reviewers; one who is both is a reviewer once."""
    memberships = apps.get_model("screening", "Membership").objects
    seniors = memberships.filter(role="senior_reviewer")
    for senior in seniors:
        if memberships.filter(user=senior.user_id, site=senior.site_id, role="reviewer").exists():
            senior.delete()
    seniors.update(role="reviewer")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0041_exam_states"),
    ]

    operations = [
        migrations.CreateModel(
            name="SiteProtocol",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("single", "One reader"),
                            ("double_positives", "Two readers for every positive and for a sample of the negatives"),
                            ("double_all", "Two readers for every exam"),
                            (
                                "triage",
                                "Triage: one reader for clear negatives of good quality outside the sample, two for all others",
                            ),
                        ],
                        max_length=20,
                        verbose_name="readers of an exam",
                    ),
                ),
                (
                    "negative_percent",
                    models.PositiveSmallIntegerField(
                        default=10,
                        validators=[django.core.validators.MaxValueValidator(100)],
                        verbose_name="negatives that are read twice, in per cent",
                    ),
                ),
                (
                    "arbitrates_any_difference",
                    models.BooleanField(
                        default=False, verbose_name="any difference of a grade goes to a senior reviewer"
                    ),
                ),
                (
                    "repeat_percent",
                    models.PositiveSmallIntegerField(
                        default=0,
                        validators=[django.core.validators.MaxValueValidator(100)],
                        verbose_name="signed exams that come back to their reader, in per cent",
                    ),
                ),
                (
                    "repeat_weeks",
                    models.PositiveSmallIntegerField(
                        default=8,
                        validators=[
                            django.core.validators.MinValueValidator(2),
                            django.core.validators.MaxValueValidator(26),
                        ],
                        verbose_name="weeks until they come back",
                    ),
                ),
                (
                    "measured",
                    models.JSONField(blank=True, default=dict, verbose_name="measured on signed eyes of the site"),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
            ],
            options={
                "verbose_name": "reading protocol of a site",
                "verbose_name_plural": "reading protocols of sites",
                "ordering": ["-created_at", "id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="membership",
            name="membership_role_known",
        ),
        migrations.RunPython(migrations.RunPython.noop, without_seniors),
        migrations.AlterField(
            model_name="membership",
            name="role",
            field=models.CharField(
                choices=[
                    ("photographer", "Photographer"),
                    ("reviewer", "Reviewer"),
                    ("senior_reviewer", "Senior reviewer"),
                    ("manager", "Manager"),
                ],
                max_length=20,
                verbose_name="role",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["photographer", "reviewer", "senior_reviewer", "manager"])),
                name="membership_role_known",
            ),
        ),
        migrations.AddField(
            model_name="siteprotocol",
            name="created_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="created by",
            ),
        ),
        migrations.AddField(
            model_name="siteprotocol",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="protocols",
                to="screening.site",
                verbose_name="site",
            ),
        ),
        migrations.AddConstraint(
            model_name="siteprotocol",
            constraint=models.UniqueConstraint(fields=("site", "number"), name="protocol_version_once"),
        ),
        migrations.AddConstraint(
            model_name="siteprotocol",
            constraint=models.CheckConstraint(condition=models.Q(("number__gte", 1)), name="protocol_version_from_1"),
        ),
        migrations.AddConstraint(
            model_name="siteprotocol",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["single", "double_positives", "double_all", "triage"])),
                name="protocol_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="siteprotocol",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="protocol_has_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="siteprotocol",
            constraint=models.CheckConstraint(
                condition=models.Q(("negative_percent__lte", 100), ("repeat_percent__lte", 100)),
                name="protocol_percent_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="siteprotocol",
            constraint=models.CheckConstraint(
                condition=models.Q(("repeat_weeks__gte", 2), ("repeat_weeks__lte", 26)), name="protocol_weeks_in_range"
            ),
        ),
        migrations.RunPython(TRIGGERS.create, TRIGGERS.drop),
    ]
