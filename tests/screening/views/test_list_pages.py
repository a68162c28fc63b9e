"""Pages of long lists: the first ones have numbers, later ones begin after a row."""

import re

import pytest
from django.test import Client

from screening.models import Patient, Site
from screening.selectors import list_rows
from screening.views import list_pages, patients
from screening.views.list_pages import counted_text
from tests.screening.factories import PatientFactory
from tests.screening.views.pages import count_queries, page_text, url

N_NUMBERED, PER_PAGE = 4, 2


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (list_rows, list_pages):
        monkeypatch.setattr(module, "MAX_COUNTED", N_NUMBERED)
    monkeypatch.setattr(patients, "PER_PAGE", PER_PAGE)


def create(site: Site, n: int) -> None:
    for number in range(n):
        PatientFactory(site=site, family_name=f"Person{number}", given_name="X", mrn=f"M{number}")


def names(text: str) -> list[str]:
    return re.findall(r"<strong>(Person\d), X</strong>", text)


def next_link(text: str) -> dict[str, str]:
    found = re.search(r'rel="next"\s+href="\?(\w+)=([^"]+)"', text)
    return {found[1]: found[2]} if found else {}


def test_each_row_of_a_long_list_is_on_one_page(site: Site, as_reviewer: Client) -> None:
    create(site, 9)
    shown, query = [], {"page": "1"}
    while query:
        text = page_text(as_reviewer, "patient-list", **query)
        shown.append(names(text))
        query = next_link(text)
    assert shown == [
        ["Person0", "Person1"],
        ["Person2", "Person3"],
        ["Person4", "Person5"],
        ["Person6", "Person7"],
        ["Person8"],
    ]


def test_a_list_up_to_the_limit_has_numbers_only(site: Site, as_reviewer: Client) -> None:
    create(site, N_NUMBERED)
    text = page_text(as_reviewer, "patient-list", page="2")
    assert "Page 2 of 2" in text
    assert "after=" not in text


def test_a_longer_list_has_more_than_its_numbers(site: Site, as_reviewer: Client) -> None:
    create(site, N_NUMBERED + 1)
    assert "Page 1; more than 1,000 rows" in page_text(as_reviewer, "patient-list")
    last = Patient.objects.get(mrn="M3").pk
    later = page_text(as_reviewer, "patient-list", after=str(last))
    assert names(later) == ["Person4"]
    assert "First page" in later


def test_a_page_far_after_the_end_is_the_last_one_with_a_number(site: Site, as_reviewer: Client) -> None:
    create(site, 9)
    assert names(page_text(as_reviewer, "patient-list", page="999999")) == ["Person2", "Person3"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [({"page": "1000000"}, "“page” is the number of a page"), ({"after": "x"}, "“after” is the id of a row")],
)
def test_a_position_that_no_page_has_is_refused(
    query: dict[str, str], sentence: str, site: Site, as_reviewer: Client
) -> None:
    response = as_reviewer.get(url("patient-list"), query)
    assert (response.status_code, sentence in response.content.decode()) == (400, True)


@pytest.mark.parametrize("text", ["%", "_", "p", "pe"])
def test_a_search_for_a_sign_or_a_letter_ends_with_a_sentence(text: str, site: Site, as_reviewer: Client) -> None:
    create(site, 3)
    shown = as_reviewer.post(url("patient-list"), {"text": text}).content.decode()
    assert ("3 patients found." if text == "pe" else "0 patients found.") in shown


@pytest.mark.parametrize("name", ["worklist", "patient-list", "referrals", "search", "site-due-list", "site-bookings"])
@pytest.mark.parametrize(
    ("text", "sentence"), [("x" * 10_000, "at most 200 characters"), ("a\0b", "Null characters are not allowed.")]
)
def test_a_search_that_no_list_can_make_is_refused(
    name: str, text: str, sentence: str, site: Site, as_manager: Client
) -> None:
    create(site, 3)
    response = as_manager.post(url(name, *([site.pk] if name.startswith("site-") else [])), {"text": text})
    assert (response.status_code, sentence in response.content.decode()) == (422, True)


def test_a_later_page_has_as_many_queries_as_the_first(site: Site, as_reviewer: Client) -> None:
    create(site, 9)
    first = count_queries(as_reviewer, "patient-list")
    after = str(Patient.objects.get(mrn="M3").pk)
    assert count_queries(as_reviewer, "patient-list", after=after) == first


def test_a_count_over_the_limit_is_not_a_number() -> None:
    assert (counted_text(N_NUMBERED), counted_text(N_NUMBERED + 1)) == ("4", "more than 1,000")
