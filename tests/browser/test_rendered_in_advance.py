"""The page of the next exam in a browser that renders it in advance. Playwright switches that off: it is not used."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import pytest
from django.http import HttpResponseBase
from django.test import Client

from benchmarks.chromium import POLL_S, PROGRAM, WAIT_S, Tab, open_tab
from benchmarks.next_exam import ARE_PHOTOS_READY
from screening.models import AuditEvent, Exam, ExamLock, FundusImage, User
from screening.selectors import ExamDetail
from screening.services.exam_locks import take_exam
from screening.views import reviews
from screening.views.decorators import AuthenticatedRequest
from tests.browser.test_locks import colleague

__all__ = ("colleague",)  # fixture
pytestmark = [pytest.mark.browser, pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed")]
Verb = AuditEvent.Verb
VIEWS = (Verb.EXAM_VIEWED, Verb.IMAGE_VIEWED)


@contextmanager
def open_worklist(address: str, user: User, *, can_prerender: bool) -> Iterator[Tab]:
    client = Client()
    client.force_login(user)
    with open_tab(can_prerender=can_prerender) as opened:
        session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}
        opened.command("Network.setCookie", **session)
        opened.open(f"{address}/")
        yield opened


@pytest.fixture
def tab(address: str, reviewer: User, graded_exam: Exam) -> Iterator[Tab]:
    """The worklist, with the page of the exam rendered in advance."""
    with open_worklist(address, reviewer, can_prerender=True) as opened:
        opened.wait_for(ARE_PHOTOS_READY, is_in_advance=True)
        yield opened


@pytest.fixture(params=[True, False], ids=["rendered", "loaded"])
def worklist(request: pytest.FixtureRequest, address: str, reviewer: User, graded_exam: Exam) -> Iterator[Tab]:
    """The worklist, just opened, in a browser that renders pages in advance or only loads them."""
    with open_worklist(address, reviewer, can_prerender=request.param) as opened:
        yield opened


@pytest.fixture
def held_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Event, Event]]:
    """A slow server of pages in advance: an event of the request, and one that lets the server answer."""
    respond, is_requested, may_answer = reviews._page_in_advance, Event(), Event()

    def hold(request: AuthenticatedRequest, exam_detail: ExamDetail) -> HttpResponseBase:
        is_requested.set()
        assert may_answer.wait(WAIT_S)
        return respond(request, exam_detail)

    monkeypatch.setattr(reviews, "_page_in_advance", hold)
    yield is_requested, may_answer
    may_answer.set()


def views_by(user: User) -> set[tuple[str, str]]:
    return set(AuditEvent.objects.filter(actor=user, verb__in=VIEWS).values_list("verb", "object_id"))


def test_a_page_rendered_in_advance_takes_the_exam_when_it_is_displayed(
    tab: Tab, graded_exam: Exam, reviewer: User
) -> None:
    assert not ExamLock.objects.exists()
    assert not views_by(reviewer)
    tab.press("n")
    tab.wait_for(f"location.pathname === '/exams/{graded_exam.pk}/review/'")
    tab.wait_for("!document.querySelector('.is-in-advance') && document.querySelector('h1').checkVisibility()")
    assert tab.evaluate("performance.getEntriesByType('navigation')[0].activationStart > 0")
    assert ExamLock.objects.get().holder == reviewer
    photos = {(Verb.IMAGE_VIEWED, str(pk)) for pk in FundusImage.objects.values_list("pk", flat=True)}
    assert views_by(reviewer) == {(Verb.EXAM_VIEWED, str(graded_exam.pk)), *photos}


def test_a_page_rendered_in_advance_stays_hidden_if_a_colleague_is_first(
    tab: Tab, graded_exam: Exam, reviewer: User, colleague: User
) -> None:
    take_exam(exam=graded_exam, by=colleague)
    tab.evaluate(f"location.assign('/exams/{graded_exam.pk}/review/')")
    tab.wait_for("document.querySelector('h1').textContent.includes('A colleague is reading this exam')")
    assert Verb.IMAGE_VIEWED not in {verb for verb, _ in views_by(reviewer)}
    assert ExamLock.objects.get().holder == colleague


@pytest.mark.parametrize("opening", ["window.nextExam.take()", "document.querySelector('[data-next-exam]').click()"])
def test_the_next_exam_opens_although_its_page_in_advance_is_on_the_way(
    opening: str, held_page: tuple[Event, Event], worklist: Tab, graded_exam: Exam, reviewer: User
) -> None:
    is_requested, may_answer = held_page
    assert is_requested.wait(WAIT_S)
    worklist.evaluate(opening)
    deadline = time.monotonic() + WAIT_S
    while not ExamLock.objects.filter(holder=reviewer).exists():
        assert time.monotonic() < deadline
        time.sleep(POLL_S)
    may_answer.set()
    worklist.wait_for(f"location.pathname === '/exams/{graded_exam.pk}/review/'")
    worklist.wait_for("document.querySelector('h1').checkVisibility()")


def test_an_exam_opens_from_the_list_after_its_page_in_advance_was_refused(
    held_page: tuple[Event, Event], worklist: Tab, graded_exam: Exam, colleague: User
) -> None:
    is_requested, may_answer = held_page
    assert is_requested.wait(WAIT_S)
    take_exam(exam=graded_exam, by=colleague)
    may_answer.set()
    worklist.evaluate(f"location.assign('/exams/{graded_exam.pk}/review/')")
    worklist.wait_for("document.querySelector('h1').textContent.includes('A colleague is reading this exam')")
