import uuid

import pytest
from django.db import connection
from django.db.models import F, QuerySet
from django.test.utils import CaptureQueriesContext

from screening.models import Patient, Site
from screening.selectors import list_rows
from screening.selectors.list_rows import count_up_to_limit, load_rows, rows_after
from tests.screening.factories import PatientFactory, SiteFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def patients() -> QuerySet[Patient]:
    site = SiteFactory()
    for number, (name, due_on) in enumerate([("Ada", "2027-02-01"), ("Bo", None), ("Ada", "2027-01-01"), ("Cy", None)]):
        patient = PatientFactory(site=site, family_name=name, given_name="X", mrn=f"M{number}")
        Patient.objects.filter(pk=patient.pk).update(due_on=due_on)
    return Patient.objects.filter(site=site)


ORDERS = {
    "by name": ["folded_name", "mrn", "pk"],
    "newest first": ["-created_at", "pk"],
    "without a day last": [F("due_on").asc(nulls_last=True), "pk"],
    "latest day first": [F("due_on").desc(nulls_last=True), "mrn"],
    "by an expression": [F("folded_name"), "-mrn"],
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_the_rows_after_a_row_are_the_rest_of_the_list(order: list[str], patients: QuerySet[Patient]) -> None:
    rows = patients.order_by(*order)
    ids = list(rows.values_list("pk", flat=True))
    for number, pk in enumerate(ids):
        assert list(rows_after(rows, pk).values_list("pk", flat=True)) == ids[number + 1 :]


def test_the_rows_after_one_that_left_the_list_are_found(patients: QuerySet[Patient]) -> None:
    first = patients.order_by("mrn")[0]
    rest = patients.exclude(pk=first.pk).order_by("mrn")
    assert list(rows_after(rest, first.pk)) == list(rest)


def test_there_are_no_rows_after_an_unknown_id(patients: QuerySet[Patient]) -> None:
    assert list(rows_after(patients.order_by("mrn"), uuid.uuid4())) == []


def test_a_count_ends_at_the_limit(patients: QuerySet[Patient], monkeypatch: pytest.MonkeyPatch) -> None:
    assert count_up_to_limit(patients) == 4
    monkeypatch.setattr(list_rows, "MAX_COUNTED", 2)
    assert count_up_to_limit(patients) == 3


def test_rows_are_loaded_in_their_order_by_two_queries(patients: QuerySet[Patient]) -> None:
    with CaptureQueriesContext(connection) as queries:
        rows = load_rows(patients.order_by("folded_name", "mrn"), 1, 3)
    assert ([row.mrn for row in rows], len(queries)) == (["M2", "M1"], 2)
    conditions = [one["sql"].partition(" WHERE ")[2] for one in queries]
    assert ["site_id" in one for one in conditions] == [True, False]  # the second one asks for the ids alone


def test_rows_of_another_site_are_not_among_those_after_a_row(patients: QuerySet[Patient]) -> None:
    other = PatientFactory(site=SiteFactory(), family_name="Dee")
    found = rows_after(Patient.objects.filter(site=Site.objects.order_by("created_at")[0]).order_by("mrn"), other.pk)
    assert other not in found
