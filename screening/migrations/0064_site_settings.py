"""Changes of the settings of sites, append-only by a trigger."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from screening.append_only import AppendOnlyTriggers

TRIGGERS = AppendOnlyTriggers(("screening_sitesettingsversion",), "screening_refuse_site_settings_change")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0001_squashed_0063_files_of_letter_batches"),
    ]

    operations = [
        migrations.CreateModel(
            name="SiteSettingsVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="id"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("group", models.CharField(max_length=20, verbose_name="group")),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("before", models.JSONField(verbose_name="before")),
                ("after", models.JSONField(verbose_name="after")),
                ("reason", models.CharField(blank=True, default="", max_length=300, verbose_name="reason")),
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
                        related_name="settings_versions",
                        to="screening.site",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "change of settings of a site",
                "verbose_name_plural": "changes of settings of sites",
                "ordering": ["-created_at", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("site", "group", "number"), name="site_settings_version_once"),
                    models.CheckConstraint(condition=models.Q(("number__gte", 1)), name="site_settings_version_from_1"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "group__in",
                                [
                                    "general",
                                    "capture",
                                    "reading",
                                    "outside-readers",
                                    "reading-times",
                                    "referral-times",
                                    "recall",
                                    "messages",
                                ],
                            )
                        ),
                        name="site_settings_group_known",
                    ),
                ],
            },
        ),
        migrations.RunPython(TRIGGERS.create, TRIGGERS.drop),
    ]
