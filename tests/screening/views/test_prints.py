"""A browser that prints a page leaves a separate event, with the record and without its data."""

import pytest
from django.test import Client
from django.urls import reverse

from screening.models import AuditEvent, Patient, Site, User
from tests.screening.factories import MembershipFactory, PatientFactory, UserFactory
from tests.screening.views.pages import loaded_files, page_text, url

PRINTED = AuditEvent.Verb.PAGE_PRINTED


@pytest.fixture
def patient(site: Site) -> Patient:
    patient: Patient = PatientFactory(site=site)
    return patient


def report(client: Client, path: str) -> int:
    return client.post(url("page-printed"), {"path": path}).status_code


def test_a_print_leaves_an_event(as_reviewer: Client, reviewer: User, patient: Patient) -> None:
    assert report(as_reviewer, url("patient-detail", patient.pk)) == 204
    event = AuditEvent.objects.get(verb=PRINTED)
    assert (event.actor, event.site, event.role) == (reviewer, patient.site, "reviewer")
    assert event.data == {"route": "screening:patient-detail", "record": str(patient.pk)}
    assert report(as_reviewer, url("worklist")) == 204
    assert AuditEvent.objects.filter(verb=PRINTED).latest("id").data == {"route": "screening:worklist"}


def test_a_print_of_a_record_of_another_site_is_refused(patient: Patient) -> None:
    stranger = Client()
    stranger.force_login(MembershipFactory(role="reviewer").user)
    assert report(stranger, url("patient-detail", patient.pk)) == 404
    assert not AuditEvent.objects.filter(verb=PRINTED).exists()


@pytest.mark.parametrize("path", ["", "/patients/Byron/", "//example.org/", "/api/v1/sites", "/admin/", "\x00"])
def test_what_is_no_page_of_the_user_is_refused(as_reviewer: Client, path: str) -> None:
    assert report(as_reviewer, path) == 404
    assert not AuditEvent.objects.filter(verb=PRINTED).exists()


def test_a_print_in_the_panel_leaves_an_event(client: Client, patient: Patient) -> None:
    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    assert report(client, reverse("admin:screening_patient_change", args=[patient.pk])) == 204
    event = AuditEvent.objects.get(verb=PRINTED)
    assert event.data == {"route": "admin:screening_patient_change", "record": str(patient.pk)}
    assert (event.role, event.purpose) == ("superuser", "HOPERAT")


def test_who_is_not_logged_in_reports_nothing(client: Client, patient: Patient) -> None:
    assert report(client, url("patient-detail", patient.pk)) in {302, 401}
    assert not AuditEvent.objects.exists()


def test_every_page_and_the_panel_report_prints(client: Client, patient: Patient) -> None:
    client.force_login(MembershipFactory(site=patient.site, user__is_superuser=True, user__is_staff=True).user)
    for text in (page_text(client, "worklist"), client.get(reverse("admin:index")).content.decode()):
        assert "print.js" in loaded_files(text)
        assert f'data-print-url="{url("page-printed")}"' in text
