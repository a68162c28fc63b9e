"""Optic disc and fovea of the photographs, where a reader moved them.

Readings before have none. SQLite copies a table for a new column, which loses its triggers: they are dropped and
created again.
"""

from importlib import import_module

from django.db import migrations, models

triggers = import_module("screening.migrations.0002_append_only_audit")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0035_recall"),
    ]

    operations = [
        migrations.RunPython(triggers.TRIGGERS.drop, triggers.TRIGGERS.create),
        migrations.AddField(
            model_name="eyefinding",
            name="landmarks",
            field=models.JSONField(blank=True, default=dict, verbose_name="optic disc and fovea"),
        ),
        migrations.AddField(
            model_name="firstreading",
            name="landmarks",
            field=models.JSONField(blank=True, default=dict, verbose_name="optic disc and fovea"),
        ),
        migrations.RunPython(triggers.TRIGGERS.create, triggers.TRIGGERS.drop),
    ]
