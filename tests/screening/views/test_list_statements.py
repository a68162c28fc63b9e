"""Lists: the number of statements, and searches of one letter."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from screening.models import Site, User
from tests.screening.factories import BookingFactory, MembershipFactory, ReferralFactory, ReviewFactory
from tests.screening.views.pages import count_queries, text_of, url
from tests.screening.views.test_worklist import waiting_exam


@pytest.mark.parametrize(
    ("name", "of_site"),
    [
        ("worklist", False),
        ("patient-list", False),
        ("referrals", False),
        ("search", False),
        ("site-due-list", True),
        ("site-bookings", True),
    ],
)
def test_a_search_of_one_letter_shows_that_names_need_two(
    site: Site, as_manager: Client, name: str, of_site: bool
) -> None:
    address = url(name, *([site.pk] if of_site else []))
    note = "Type two or more letters of a name to find people by name."
    assert note in text_of(as_manager.post(address, {"text": "b"}))
    for text in ("by", "金"):
        assert note not in text_of(as_manager.post(address, {"text": text}))


N_STATEMENTS = {
    "worklist": 12,
    "patient-list": 8,
    "results": 10,
    "referrals": 14,
    "site-due-list": 10,
    "site-bookings": 8,
}
"""Of a page with people, and of a search by name, as a manager who also reads exams."""


@pytest.mark.parametrize("name", N_STATEMENTS)
def test_a_list_takes_the_same_statements_for_any_number_of_people(
    site: Site, as_manager: Client, manager: User, name: str
) -> None:
    MembershipFactory(user=manager, site=site, role="senior_reviewer")
    of_site = [site.pk] if name.startswith("site-") else []
    found = set()
    for _ in range(2):
        for _ in range(3):
            exam = waiting_exam(site, "Person", is_done=True, grade=2)
            ReferralFactory(exam=exam, review=ReviewFactory(exam=exam))
            BookingFactory(patient=exam.patient)
        found.add(count_queries(as_manager, name, *of_site))
        with CaptureQueriesContext(connection) as queries:
            as_manager.post(url(name, *of_site), {"text": "person"})
        if name != "results":
            assert len(queries) <= N_STATEMENTS[name]
    assert len(found) == 1
    assert found.pop() <= N_STATEMENTS[name]
