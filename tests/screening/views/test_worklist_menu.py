"""What waits for a reader, in the menu of every page."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from redis import RedisError

from screening.models import Exam, FirstReading, Site, User
from tests.screening.factories import MembershipFactory
from tests.screening.views.pages import count_queries, page_text
from tests.screening.views.test_worklist import waiting_exam


def test_the_menu_of_a_reader_counts_what_waits(site: Site, as_reviewer: Client, reviewer: User) -> None:
    begun, read = (waiting_exam(site, "Calm", is_done=True, grade=0) for _ in range(2))
    Exam.objects.filter(pk=begun.pk).update(due_at=timezone.now() - timedelta(days=1))
    FirstReading.objects.create(exam=begun, reviewer=reviewer, laterality="OD", is_gradable=True, grade=0)
    Exam.objects.filter(pk=read.pk).update(status="second_reading")
    menu = page_text(as_reviewer, "patient-list").partition("</nav>")[0]
    found = re.findall(r'href="(/\?[^"]+)">\s*([^<]*?)\s*</a>', menu)
    assert '<span class="count">2</span>' in menu
    assert found == [
        ("/?state=waiting&amp;overdue=yes", "1 overdue"),
        ("/?state=waiting&amp;mine=yes", "1 mine"),
        ("/?state=waiting&amp;reading=second", "1 second reading"),
    ]
    for address, _text in found:
        assert len(as_reviewer.get(address.replace("&amp;", "&")).context["exams"]) == 1


def test_the_menu_is_counted_once_in_some_seconds_and_agrees_with_the_page(site: Site, as_reviewer: Client) -> None:
    n_queries = count_queries(as_reviewer, "predict")
    waiting_exam(site, "Calm", is_done=True, grade=0)
    assert count_queries(as_reviewer, "predict") == n_queries
    assert '<span class="count">0</span>' in page_text(as_reviewer, "predict").partition("</nav>")[0]
    assert '<span class="count">1</span>' in page_text(as_reviewer, "worklist").partition("</nav>")[0]
    assert '<span class="count">1</span>' in page_text(as_reviewer, "predict").partition("</nav>")[0]


def test_the_menu_of_a_colleague_has_other_counts(site: Site, as_reviewer: Client, other_site: Site) -> None:
    waiting_exam(site, "Calm", is_done=True, grade=0)
    assert '<span class="count">1</span>' in page_text(as_reviewer, "predict").partition("</nav>")[0]
    colleague = Client()
    colleague.force_login(MembershipFactory(site=other_site, role="reviewer").user)
    assert '<span class="count">0</span>' in page_text(colleague, "predict").partition("</nav>")[0]


def test_the_menu_of_a_photographer_has_no_counts(site: Site, as_photographer: Client) -> None:
    waiting_exam(site, "Calm", is_done=True, grade=0)
    assert 'class="count"' not in page_text(as_photographer, "predict").partition("</nav>")[0]


def test_the_menu_is_counted_without_the_cache(
    site: Site, as_reviewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any) -> None:
        raise RedisError

    waiting_exam(site, "Calm", is_done=True, grade=0)
    for name in ("get", "set"):
        monkeypatch.setattr(f"screening.selectors.worklist_counts.cache.{name}", fail)
    assert '<span class="count">1</span>' in page_text(as_reviewer, "predict").partition("</nav>")[0]
