"""The due list page."""

import datetime

import pytest
from django.test import Client
from django.utils import timezone

from screening.models import AuditEvent, Site
from tests.screening.factories import ExamFactory, PatientFactory
from tests.screening.views.pages import count_queries, page_text, text_of, url


def day(n: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=n)


def test_the_list_shows_who_is_due_and_what_is_to_be_done(site: Site, as_photographer: Client) -> None:
    PatientFactory(site=site, family_name="Due", mrn="D1")
    PatientFactory(site=site, family_name="Later", due_on=day(200), next_step_on=day(158))
    PatientFactory(site=site, family_name="Forgotten", due_on=day(-60))
    response = as_photographer.get(url("due-list"), follow=True)
    text = text_of(response)
    assert sorted(("Forgotten", "Due, ", "Later"), key=text.index) == ["Forgotten", "Due, ", "Later"]
    assert "Invite" in text
    rows = {row.patient.family_name: (str(row.state), str(row.step)) for row in response.context["rows"]}
    assert rows == {"Due": ("Due", "Invite"), "Later": ("Not due yet", ""), "Forgotten": ("Overdue", "Invite")}
    assert AuditEvent.objects.filter(verb="patients.searched", data__n_found=3).exists()
    ExamFactory(patient__site=site, patient__family_name="Present")
    response = as_photographer.get(url("site-due-list", site.pk), {"state": "in_progress"})
    assert [row.patient.family_name for row in response.context["rows"]] == ["Present"]
    tab = 'href="?state=in_progress" aria-current="page"> Being screened <span class="count">1</span>'
    assert tab in " ".join(text_of(response).split())


def test_the_form_leads_to_the_address_of_its_filters(site: Site, as_photographer: Client) -> None:
    PatientFactory(site=site, family_name="Forgotten", due_on=day(-60))
    PatientFactory(site=site, family_name="Fresh")
    data = {"state": "overdue", "step": "all", "due_by": f"{day(0)}", "text": ""}
    response = as_photographer.post(url("site-due-list", site.pk), data)
    assert response["Location"] == f"{url('site-due-list', site.pk)}?state=overdue&due_by={day(0)}"
    text = text_of(as_photographer.get(response["Location"]))
    assert "Forgotten" in text
    assert "Fresh" not in text


def test_a_search_text_is_in_no_address(site: Site, as_photographer: Client) -> None:
    PatientFactory(site=site, family_name="Lovelace")
    PatientFactory(site=site, family_name="Other")
    response = as_photographer.post(url("site-due-list", site.pk), {"text": "lovel"})
    assert response.status_code == 200
    assert [row.patient.family_name for row in response.context["rows"]] == ["Lovelace"]
    assert "1 person found." in text_of(response)


@pytest.mark.parametrize("query", ["state=dead", "due_by=tomorrow", "never=no", "name=x", "page=0"])
def test_a_wrong_parameter_is_refused(site: Site, as_photographer: Client, query: str) -> None:
    assert as_photographer.get(f"{url('site-due-list', site.pk)}?{query}").status_code == 400


def test_the_number_of_queries_does_not_grow(site: Site, as_photographer: Client) -> None:
    ExamFactory(patient__site=site)
    n_queries = count_queries(as_photographer, "site-due-list", site.pk)
    for _number in range(30):
        ExamFactory(patient__site=site)
    assert count_queries(as_photographer, "site-due-list", site.pk) == n_queries <= 9
    assert "Page 1 of 2" in page_text(as_photographer, "site-due-list", site.pk)
    address = url("site-due-list", site.pk)
    assert "Page 1 of 2" in text_of(as_photographer.get(address, {"state": "in_progress"}))
    early = text_of(as_photographer.get(address, {"state": "in_progress", "due_by": "2000-01-01"}))
    assert "No person matches the filters." in early
    assert "Page 1" not in early
