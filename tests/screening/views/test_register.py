"""Pages of the register of one person."""

import datetime

import pytest
from django.test import Client
from django.utils import timezone

from screening.models import AuditEvent, Patient, RegisterEntry, Site, User
from tests.screening.factories import PatientFactory
from tests.screening.views.pages import count_queries, page_text, text_of, url


@pytest.fixture
def patient(site: Site) -> Patient:
    return PatientFactory(site=site)


def values(**changes: str) -> dict[str, str]:
    today = timezone.localdate()
    return {
        "status": "suspended",
        "reason": "suspended:pregnancy_pathway",
        "from_on": f"{today}",
        "until_on": f"{today + datetime.timedelta(days=200)}",
        "note": "",
        **changes,
    }


def test_a_photographer_suspends_a_person_and_the_page_shows_it(patient: Patient, as_photographer: Client) -> None:
    response = as_photographer.post(url("patient-register", patient.pk), values(), follow=True)
    text = text_of(response)
    assert "The status in the register is changed." in text
    assert "Pregnancy pathway" in text
    assert patient.register_entries.get().status == "suspended"
    assert "Pregnancy pathway" in page_text(as_photographer, "patient-register", patient.pk)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reason": "deceased:died"}, "Choose a reason that is listed under the status."),
        ({"until_on": ""}, "a suspension and an opt-out end by themselves"),
        ({"until_on": "2020-01-01"}, "The last day has passed."),
        ({"reason": "suspended:other"}, "State the reason in the note."),
        ({"from_on": "someday"}, "Enter a valid date."),
    ],
)
def test_a_wrong_entry_is_refused_and_kept(
    patient: Patient, as_photographer: Client, changes: dict[str, str], message: str
) -> None:
    response = as_photographer.post(
        url("patient-register", patient.pk),
        values(note="see the letter", **changes) if changes.get("reason") != "suspended:other" else values(**changes),
    )
    assert response.status_code == 422
    assert message in text_of(response)
    assert not RegisterEntry.objects.exists()


def test_an_entry_of_another_person_is_shown_before_it_is_replaced(patient: Patient, as_photographer: Client) -> None:
    address = url("patient-register", patient.pk)
    base = as_photographer.get(address).context["form"]["base"].value()
    as_photographer.post(address, values(status="deceased", reason="deceased:died", until_on="", base=base))
    refused = as_photographer.post(address, values(base=base))
    assert refused.status_code == 422
    assert "Another person changed the status meanwhile." in text_of(refused)
    assert "Status today: <strong>Deceased</strong>" in text_of(refused)
    assert patient.register_entries.get().status == "deceased"
    base = refused.context["form"]["base"].value()
    assert as_photographer.post(address, values(base=base)).status_code == 302


def test_nothing_is_recorded_of_a_record_that_was_merged_meanwhile(
    patient: Patient, site: Site, as_photographer: Client
) -> None:
    Patient.objects.filter(pk=patient.pk).update(merged_into=PatientFactory(site=site))
    data = {"contact": "invitation:sent", "channel": "letter", "on": f"{timezone.localdate()}"}
    for name, sent in (("patient-register", values()), ("patient-contacts", data)):
        shown = text_of(as_photographer.post(url(name, patient.pk), sent, follow=True))
        assert "This record was merged into another one. Record it there." in shown
    assert not patient.register_entries.exists()
    assert not patient.contacts.exists()


def test_a_reader_sees_the_history_without_the_form(patient: Patient, as_reviewer: Client) -> None:
    text = page_text(as_reviewer, "patient-register", patient.pk)
    assert "The status was never changed" in text
    assert 'name="until_on"' not in text
    assert AuditEvent.objects.filter(verb="patient.viewed", object_id=str(patient.pk)).exists()


def test_the_number_of_queries_does_not_grow_with_the_history(
    patient: Patient, photographer: User, as_photographer: Client
) -> None:
    def add(n: int) -> None:
        rows = [
            RegisterEntry(
                patient=patient,
                status="moved",
                reason="out_of_area",
                from_on=timezone.localdate(),
                recorded_by=photographer,
            )
            for _ in range(n)
        ]
        RegisterEntry.objects.bulk_create(rows)

    add(2)
    n_queries = count_queries(as_photographer, "patient-register", patient.pk)
    add(30)
    assert count_queries(as_photographer, "patient-register", patient.pk) == n_queries
    assert "Page 1 of 2" in page_text(as_photographer, "patient-register", patient.pk)
