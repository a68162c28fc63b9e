"""The page of readers who read exams again, and its export."""

import csv
import io

import pytest
from django.test import Client

from screening.models import AuditEvent, Site, User
from screening.services.repeats import store_repeat
from tests.screening.factories import MembershipFactory
from tests.screening.protocols import found
from tests.screening.repeats import Clock, blind_site, signed_exam, take_repeat
from tests.screening.views.pages import count_queries, page_text, url

Grades = tuple[int, int]


def read_again(site: Site, reader: User, clock: Clock, *pairs: tuple[Grades, Grades]) -> None:
    """Sign an exam for each pair with the first grades, and read it again with the second ones."""
    blind_site(site)
    for first, again in pairs:
        exam = signed_exam(site, reader, found(*first))
        clock.move(weeks=9)
        take_repeat(exam, reader)
        store_repeat(exam=exam, findings=found(*again), by=reader)


def test_a_manager_sees_how_readers_agree_with_themselves(
    client: Client, site: Site, reviewer: User, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_again(site, reviewer, Clock(monkeypatch), ((2, 0), (2, 0)), ((0, 0), (0, 1)))
    client.force_login(manager)
    assert url("site-repeats", site.pk) in page_text(client, "site-protocol", site.pk)
    text = page_text(client, "site-repeats", site.pk)
    assert "3 of 4" in text
    # Grades 2, 0, 0, 0 and 2, 0, 0, 1: squared differences 1 in 4 eyes, 24 in 16 by chance.
    assert "0.83" in text

    response = client.post(url("site-repeat-export", site.pk), {"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert [(row["Left eye (OS)"], row["Left eye (OS), again"]) for row in rows] == [
        ("No apparent retinopathy", "Mild non-proliferative"),
        ("No apparent retinopathy", "No apparent retinopathy"),
    ]
    assert AuditEvent.objects.get(verb="list.exported").data["list"] == "repeats"


def test_the_number_of_queries_does_not_grow(
    client: Client, site: Site, reviewer: User, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    read_again(site, reviewer, clock, ((1, 0), (1, 0)))
    client.force_login(manager)
    before = count_queries(client, "site-repeats", site.pk)
    other = MembershipFactory(site=site, role="reviewer").user
    read_again(site, other, clock, ((1, 0), (1, 0)), ((3, 0), (2, 0)))
    client.force_login(manager)
    assert count_queries(client, "site-repeats", site.pk) == before <= 14


def test_a_site_without_repeats(client: Client, site: Site, manager: User) -> None:
    client.force_login(manager)
    assert "No exam has come back to its reader yet." in page_text(client, "site-repeats", site.pk)
