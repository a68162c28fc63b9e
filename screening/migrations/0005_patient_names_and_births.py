"""Columns for names with one word, for birth dates to the day, month or year, for estimated ages, and for search."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("screening", "0004_quality_level")]

    operations = [
        migrations.RemoveIndex(model_name="patient", name="patient_by_name"),
        migrations.AlterField(
            model_name="patient",
            name="given_name",
            field=models.CharField(blank=True, max_length=80, verbose_name="given name"),
        ),
        migrations.AlterField(
            model_name="patient",
            name="family_name",
            field=models.CharField(blank=True, max_length=80, verbose_name="family name"),
        ),
        migrations.RenameField(model_name="patient", old_name="born_on", new_name="born_on_day"),
        migrations.AlterField(model_name="patient", name="born_on_day", field=models.DateField(null=True)),
        migrations.AddField(
            model_name="patient",
            name="born_on",
            field=models.CharField(blank=True, default="", max_length=10, verbose_name="birth date"),
        ),
        migrations.AddField(
            model_name="patient",
            name="estimated_age",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="estimated age"),
        ),
        migrations.AddField(
            model_name="patient",
            name="age_estimated_on",
            field=models.DateField(blank=True, null=True, verbose_name="age estimated on"),
        ),
        *(
            migrations.AddField(
                model_name="patient", name=name, field=models.CharField(default="", editable=False, max_length=200)
            )
            for name in ("folded_mrn", "folded_name", "name_key")
        ),
        migrations.CreateModel(
            name="PatientSearchTerm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("term", models.CharField(max_length=200)),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="search_terms",
                        to="screening.patient",
                    ),
                ),
            ],
            options={"verbose_name": "search term", "verbose_name_plural": "search terms"},
        ),
    ]
