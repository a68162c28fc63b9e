"""The grade of photocoagulation, apart from those of retinopathy and maculopathy.

Findings that were signed before have none. SQLite copies a table for a new column, which loses its triggers: they are
dropped and created again.
"""

from importlib import import_module

from django.db import migrations, models

triggers = import_module("screening.migrations.0002_append_only_audit")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0027_worklist_bands"),
    ]

    operations = [
        migrations.RunPython(triggers.TRIGGERS.drop, triggers.TRIGGERS.create),
        migrations.AddField(
            model_name="eyefinding",
            name="photocoagulation",
            field=models.CharField(
                blank=True, default="", max_length=4, verbose_name="photocoagulation in the scale of the site"
            ),
        ),
        migrations.AddField(
            model_name="firstreading",
            name="photocoagulation",
            field=models.CharField(
                blank=True, default="", max_length=4, verbose_name="photocoagulation in the scale of the site"
            ),
        ),
        migrations.RunPython(triggers.TRIGGERS.create, triggers.TRIGGERS.drop),
    ]
