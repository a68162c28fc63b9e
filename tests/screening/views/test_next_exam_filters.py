"""The next exam is one of the list that the reader has filtered."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from screening.models import AuditEvent, Exam, Site, User
from screening.policy import WorklistRank
from screening.services.exam_locks import take_exam
from tests.screening.factories import ExamFactory, MembershipFactory, SiteFactory
from tests.screening.views.pages import text_of, url


@pytest.fixture
def first(site: Site) -> Exam:
    """The first exam of the unfiltered list."""
    due_at = timezone.now() - timedelta(days=9)
    return ExamFactory(patient__site=site, is_submitted=True, due_at=due_at, quality="good")


@pytest.fixture
def limited(site: Site, first: Exam) -> Exam:
    due_at = timezone.now() + timedelta(days=9)
    return ExamFactory(patient__site=site, is_submitted=True, due_at=due_at, quality="limited")


def next_page(client: Client, query: str) -> str:
    return str(client.get(f"{url('exam-prefetch')}?{query}").json()["page"])


def test_the_next_exam_is_of_the_filtered_list(first: Exam, limited: Exam, as_reviewer: Client) -> None:
    pages = [url("exam-review", exam.pk) for exam in (first, limited)]
    assert next_page(as_reviewer, "") == next_page(as_reviewer, "state=waiting") == pages[0]
    query = f"state=waiting&quality={limited.quality}"
    assert next_page(as_reviewer, query) == pages[1]
    assert as_reviewer.post(f"{url('exam-next')}?{query}")["Location"] == pages[1]
    response = as_reviewer.post(f"{url('exam-next')}?{query}", follow=True)
    assert "No exam of the filtered list is free." in text_of(response)
    assert response.redirect_chain[0][0] == f"{url('worklist')}?{query}"
    assert as_reviewer.post(f"{url('exam-next')}?state=waiting")["Location"] == pages[0]


def test_of_a_list_that_does_not_wait_only_the_site_counts(first: Exam, limited: Exam, as_reviewer: Client) -> None:
    query = f"state=open&quality={limited.quality}&site={first.site.code}"
    assert next_page(as_reviewer, query) == url("exam-review", first.pk)


def test_a_blind_reader_gets_no_next_exam_by_grade(first: Exam, limited: Exam, as_reviewer: Client) -> None:
    Exam.objects.filter(pk=limited.pk).update(worklist_rank=WorklistRank.SIGHT_THREATENING)
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    assert next_page(as_reviewer, "model=sight") == url("exam-review", first.pk)
    Site.objects.update(reading_mode=Site.ReadingMode.SIDE_BY_SIDE)
    assert next_page(as_reviewer, "model=sight") == url("exam-review", limited.pk)


def test_filters_of_another_account_are_not_used(first: Exam, as_reviewer: Client, reviewer: User) -> None:
    own = MembershipFactory(role="reviewer", user=reviewer, site=SiteFactory()).site
    assert next_page(as_reviewer, f"site={SiteFactory().code}") == url("exam-review", first.pk)
    assert next_page(as_reviewer, f"site={own.code}") == ""
    assert as_reviewer.get(url("exam-prefetch"), {"text": "Ivanov"}).status_code == 400


def test_another_account_gets_no_exam_of_a_site_by_filters(
    first: Exam, limited: Exam, client: Client, outsider: User
) -> None:
    client.force_login(outsider)
    assert client.post(f"{url('exam-next')}?site={first.site.code}")["Location"].startswith(url("worklist"))


def test_an_exam_that_a_colleague_has_is_skipped(first: Exam, limited: Exam, site: Site, as_reviewer: Client) -> None:
    take_exam(exam=first, by=MembershipFactory(site=site, role="reviewer").user)
    assert next_page(as_reviewer, "sort=due") == url("exam-review", limited.pk)
    assert AuditEvent.objects.filter(verb=AuditEvent.Verb.EXAM_PREFETCHED).exists()
