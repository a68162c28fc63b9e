"""Repeats by the same reader, which no page offered and nothing made: their columns and their stage are removed.

SQLite copies the tables, which lose their triggers: they are dropped and created again. A stored repeat would be refused.
"""

from importlib import import_module

from django.db import migrations, models

protocols = import_module("screening.migrations.0042_reading_protocols")
readings = import_module("screening.migrations.0049_readings")


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0050_teaching_sets"),
    ]

    operations = [
        migrations.RunPython(protocols.TRIGGERS.drop, protocols.TRIGGERS.create),
        migrations.RunPython(readings.TRIGGERS.drop, readings.TRIGGERS.create),
        migrations.RemoveConstraint(
            model_name="reading",
            name="reading_stage_once",
        ),
        migrations.RemoveConstraint(
            model_name="reading",
            name="reading_once_a_person",
        ),
        migrations.RemoveConstraint(
            model_name="reading",
            name="reading_stage_known",
        ),
        migrations.RemoveConstraint(
            model_name="siteprotocol",
            name="protocol_percent_in_range",
        ),
        migrations.RemoveConstraint(
            model_name="siteprotocol",
            name="protocol_weeks_in_range",
        ),
        migrations.RemoveField(
            model_name="siteprotocol",
            name="repeat_percent",
        ),
        migrations.RemoveField(
            model_name="siteprotocol",
            name="repeat_weeks",
        ),
        migrations.AlterField(
            model_name="reading",
            name="stage",
            field=models.CharField(
                choices=[("first", "First reading"), ("second", "Second reading"), ("arbitration", "Arbitration")],
                max_length=12,
                verbose_name="stage",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.UniqueConstraint(fields=("exam", "reading_round", "stage"), name="reading_stage_once"),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.UniqueConstraint(
                fields=("exam", "reading_round", "reader"), name="reading_once_a_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(("stage__in", ["first", "second", "arbitration"])), name="reading_stage_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="siteprotocol",
            constraint=models.CheckConstraint(
                condition=models.Q(("negative_percent__lte", 100)), name="protocol_percent_in_range"
            ),
        ),
        migrations.RunPython(readings.TRIGGERS.create, readings.TRIGGERS.drop),
        migrations.RunPython(protocols.TRIGGERS.create, protocols.TRIGGERS.drop),
    ]
