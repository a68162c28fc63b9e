"""Gradings keep what was measured on the photograph."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("screening", "0070_regradings"),
    ]

    operations = [
        migrations.AddField(
            model_name="grading",
            name="brightness",
            field=models.FloatField(blank=True, null=True, verbose_name="brightness"),
        ),
        migrations.AddField(
            model_name="grading",
            name="field_size",
            field=models.FloatField(blank=True, null=True, verbose_name="size of the field of view"),
        ),
        migrations.AddField(
            model_name="grading",
            name="focus",
            field=models.FloatField(blank=True, null=True, verbose_name="focus"),
        ),
        migrations.AddField(
            model_name="grading",
            name="redness",
            field=models.FloatField(blank=True, null=True, verbose_name="colour, red to green"),
        ),
    ]
