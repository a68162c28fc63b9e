"""Drift is checked each week, and what changed is stored."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0071_measurements"),
    ]

    operations = [
        migrations.CreateModel(
            name="DriftCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("week", models.DateField(verbose_name="Monday of the week")),
                ("changed", models.JSONField(blank=True, default=list, verbose_name="what changed")),
                ("checked_at", models.DateTimeField(verbose_name="checked at")),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="screening.site",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "check of drift",
                "verbose_name_plural": "checks of drift",
                "ordering": ["-week", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("site", "week"), name="drift_check_once_a_week"),
                ],
            },
        ),
    ]
