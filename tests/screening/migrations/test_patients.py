"""Migrations of patients keep the data already stored."""

import datetime
from collections.abc import Callable
from typing import Any

BEFORE, AFTER = "0004_quality_level", "0007_patient_indexes"
Migrate = Callable[[str], Any]


def test_stored_patients_keep_their_details_and_are_found(migrate: Migrate) -> None:
    old = migrate(BEFORE)
    site = old.get_model("screening", "Site").objects.create(name="Harbour", code="harbour")
    patients = old.get_model("screening", "Patient").objects
    details = {"site": site, "born_on": datetime.date(1960, 5, 17)}
    one = patients.create(mrn="A–007", family_name="O’Connor", given_name="Zoë", **details)
    patients.create(mrn="1.2E+10", family_name="Al-Khatib", given_name="Omar", **details)

    new = migrate(AFTER)
    patient = new.get_model("screening", "Patient").objects.get(pk=one.pk)
    assert (patient.mrn, patient.family_name, patient.given_name) == ("A–007", "O’Connor", "Zoë")
    assert (patient.born_on, patient.folded_mrn) == ("1960-05-17", "a-007")
    assert (patient.folded_name, patient.name_key) == ("oconnor zoe", "cennoooorz")
    terms = new.get_model("screening", "PatientSearchTerm").objects
    assert set(terms.filter(patient_id=one.pk).values_list("term", flat=True)) == {"o", "connor", "oconnor", "zoe"}
    assert terms.filter(term="alkhatib").count() == 1


BIRTHS: list[tuple[dict[str, Any], datetime.date]] = [
    ({"born_on": "1960-05-17"}, datetime.date(1960, 5, 17)),
    ({"born_on": "1960-05"}, datetime.date(1960, 5, 1)),
    ({"born_on": "1960"}, datetime.date(1960, 1, 1)),
    ({"estimated_age": 60, "age_estimated_on": datetime.date(2026, 11, 27)}, datetime.date(1966, 1, 1)),
    ({"born_on": ""}, datetime.date(1900, 1, 1)),
]


def test_a_birth_becomes_a_day_again(migrate: Migrate) -> None:
    new = migrate(AFTER)
    site = new.get_model("screening", "Site").objects.create(name="Harbour", code="harbour")
    for number, (birth, _day) in enumerate(BIRTHS):
        new.get_model("screening", "Patient").objects.create(site=site, mrn=str(number), given_name="Ada", **birth)
    days = migrate(BEFORE).get_model("screening", "Patient").objects.order_by("mrn").values_list("born_on", flat=True)
    assert list(days) == [day for _birth, day in BIRTHS]
