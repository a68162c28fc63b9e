"""Indexes and constraints of the new columns. The old birth date is removed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("screening", "0006_fold_patients")]

    operations = [
        migrations.RemoveField(model_name="patient", name="born_on_day"),
        migrations.AlterModelOptions(
            name="patient",
            options={
                "ordering": ["folded_name", "id"],
                "verbose_name": "patient",
                "verbose_name_plural": "patients",
            },
        ),
        migrations.AddIndex(
            model_name="patient", index=models.Index(fields=["site", "folded_name"], name="patient_by_folded_name")
        ),
        migrations.AddIndex(
            model_name="patient", index=models.Index(fields=["site", "name_key"], name="patient_by_name_key")
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(
                fields=["folded_mrn", "site"], name="patient_by_mrn", opclasses=["varchar_pattern_ops", "uuid_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(("family_name", ""), ("given_name", ""), _negated=True), name="patient_has_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("age_estimated_on__isnull", True), ("estimated_age__isnull", True)),
                    models.Q(("age_estimated_on__isnull", False), ("born_on", ""), ("estimated_age__isnull", False)),
                    _connector="OR",
                ),
                name="patient_has_one_birth",
            ),
        ),
        migrations.AddIndex(
            model_name="patientsearchterm",
            index=models.Index(
                fields=["term", "patient"], name="search_term", opclasses=["varchar_pattern_ops", "uuid_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="patientsearchterm",
            constraint=models.UniqueConstraint(fields=("patient", "term"), name="search_term_once"),
        ),
    ]
