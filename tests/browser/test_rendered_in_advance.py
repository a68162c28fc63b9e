"""The page of the next exam in a browser that renders it in advance. Playwright switches that off: it is not used."""

from collections.abc import Iterator

import pytest
from django.test import Client

from benchmarks.chromium import PROGRAM, Tab, open_tab
from benchmarks.next_exam import ARE_PHOTOS_READY
from screening.models import AuditEvent, Exam, ExamLock, FundusImage, User
from screening.services.exam_locks import take_exam
from tests.browser.test_locks import colleague

__all__ = ("colleague",)  # fixture
pytestmark = [pytest.mark.browser, pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed")]
Verb = AuditEvent.Verb
VIEWS = (Verb.EXAM_VIEWED, Verb.IMAGE_VIEWED)


@pytest.fixture
def tab(address: str, reviewer: User, graded_exam: Exam) -> Iterator[Tab]:
    """The worklist, with the page of the exam rendered in advance."""
    client = Client()
    client.force_login(reviewer)
    with open_tab() as opened:
        session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}
        opened.command("Network.setCookie", **session)
        opened.open(f"{address}/")
        opened.wait_for(ARE_PHOTOS_READY, is_in_advance=True)
        yield opened


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
