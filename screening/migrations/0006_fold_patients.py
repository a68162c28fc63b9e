"""Fill the new columns of the patients already stored."""

import datetime

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from screening.folding import fold_name, fold_number, index_terms, name_key

_CHUNK = 1000


def fill(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Birth dates as text, folded names and numbers, search terms."""
    patients, terms = apps.get_model("screening", "Patient").objects, apps.get_model("screening", "PatientSearchTerm")
    for patient in patients.iterator(_CHUNK):
        patients.filter(pk=patient.pk).update(
            born_on=patient.born_on_day.isoformat(),
            folded_mrn=fold_number(patient.mrn),
            folded_name=fold_name(f"{patient.family_name} {patient.given_name}"),
            name_key=name_key(patient.family_name, patient.given_name),
        )
        found = index_terms(patient.family_name, patient.given_name)
        terms.objects.bulk_create([terms(patient_id=patient.pk, term=term) for term in found])


def restore(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Full dates again: the first day of a month or year, the year of an estimated age, 1900 if unknown."""
    patients = apps.get_model("screening", "Patient").objects
    for patient in patients.iterator(_CHUNK):
        if patient.estimated_age is None:
            day = datetime.date.fromisoformat(
                (patient.born_on or "1900") + "-01-01"[len(patient.born_on or "1900") - 4 :]
            )
        else:
            day = datetime.date(patient.age_estimated_on.year - patient.estimated_age, 1, 1)
        patients.filter(pk=patient.pk).update(born_on_day=day)


class Migration(migrations.Migration):
    dependencies = [("screening", "0005_patient_names_and_births")]

    operations = [migrations.RunPython(fill, restore)]
