"""The search of the worklist: its text is in no address."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from screening.models import AuditEvent, Site
from tests.screening.views.pages import HTMX, page_text, url
from tests.screening.views.test_worklist import waiting_exam


def search(client: Client, text: str, **filters: str) -> Any:
    return client.post(url("worklist"), {"text": text, **filters})


def test_a_search_finds_by_number_and_name_among_the_filtered_exams(site: Site, as_reviewer: Client) -> None:
    waiting_exam(site, "Calm", is_done=True, grade=0)
    grave = waiting_exam(site, "Grave", is_done=True, grade=4)
    for text in ("Grave", "gra", grave.patient.mrn):
        assert list(search(as_reviewer, text).context["exams"]) == [grave]
    assert list(search(as_reviewer, "gra", model="sight").context["exams"]) == [grave]
    response = search(as_reviewer, "gra", model="routine")
    assert list(response.context["exams"]) == []
    assert "No exam in this list matches." in response.content.decode()


def test_the_number_of_queries_of_a_search_does_not_depend_on_the_number_of_exams(
    site: Site, as_reviewer: Client
) -> None:
    counts = set()
    page_text(as_reviewer, "worklist")  # the first request of a session also stores the time
    for _ in range(3):
        waiting_exam(site, "Calm", is_done=True, grade=0)
        with CaptureQueriesContext(connection) as queries:
            search(as_reviewer, "calm")
        counts.add(len(queries))
    assert len(counts) == 1


def test_a_search_is_audited_without_its_text(site: Site, as_reviewer: Client) -> None:
    waiting_exam(site, "Grave", is_done=True, grade=4)
    search(as_reviewer, "Grave")
    event = AuditEvent.objects.latest("id")
    assert (event.verb, event.data) == ("patients.searched", {"route": "screening:worklist", "n_found": 1})


def test_without_a_text_the_form_leads_to_the_address_of_its_filters(site: Site, as_reviewer: Client) -> None:
    response = search(as_reviewer, " ", state="waiting", quality="good", sort="due", overdue="yes", reading="all")
    assert response["Location"] == "/?state=waiting&quality=good&overdue=yes&sort=due"
    assert as_reviewer.get(response["Location"]).status_code == 200


def test_the_address_of_a_search_has_no_text(site: Site, as_reviewer: Client) -> None:
    response = as_reviewer.post(url("worklist"), {"text": "Grave", "sort": "due"}, headers=HTMX)
    assert response["HX-Replace-Url"] == "/?state=waiting&sort=due"
    assert 'data-copy-link="?state=waiting&amp;sort=due"' in response.content.decode()


@pytest.mark.parametrize(
    ("text", "status", "sentence"),
    [
        ("%", 200, "No exam in this list matches."),
        ("_", 200, "No exam in this list matches."),
        ("c", 200, "No exam in this list matches."),
        ("ca", 200, "1 exam found."),
        ("x" * 10_000, 422, "at most 200 characters"),
        ("a\0b", 422, "Null characters are not allowed."),
        ("'; DROP TABLE", 200, "No exam in this list matches."),
    ],
)
def test_an_odd_search_has_a_sentence(text: str, status: int, sentence: str, site: Site, as_reviewer: Client) -> None:
    waiting_exam(site, "Calm", is_done=True, grade=0)
    response = search(as_reviewer, text)
    assert (response.status_code, sentence in response.content.decode()) == (status, True)


def test_a_search_with_many_results_shows_the_first(
    site: Site, as_reviewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("screening.views.worklist.MAX_FOUND", 1)
    for _ in range(2):
        waiting_exam(site, "Calm", is_done=True, grade=0)
    response = search(as_reviewer, "Calm")
    assert len(response.context["exams"]) == 1
    assert "More than 1 exams match; the first 1 are shown." in response.content.decode()
