"""Two readers and a lock, a take-over while the first one types, the next exam."""

import re

import pytest
from django.core.files.base import ContentFile
from playwright.sync_api import Page, expect

from screening.models import AuditEvent, Exam, ExamLock, ReadingDraft, Review, Site, User
from screening.services.exam_locks import take_exam
from tests.browser.conftest import WAIT_MS, Visit
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.browser
Verb = AuditEvent.Verb
POLL_MS = 100


@pytest.fixture
def path(graded_exam: Exam) -> str:
    return f"/exams/{graded_exam.pk}/review/"


@pytest.fixture
def colleague(site: Site) -> User:
    user = UserFactory(username="second.reader", first_name="Ruth", last_name="Reed")
    return MembershipFactory(site=site, role="reviewer", user=user).user


@pytest.fixture
def later_exam(site: Site) -> Exam:
    exam = ExamFactory(patient__site=site, patient__family_name="Later", is_submitted=True)
    for seed, eye in enumerate(("OD", "OS")):
        file = ContentFile(photo_bytes(size=(480, 360), seed=10 + seed), name="photo.jpg")
        image = FundusImageFactory(exam=exam, laterality=eye, file=file, width_px=480, height_px=360)
        GradingFactory(image=image, is_done=True, grade=0)
    return exam


def grade(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def expect_saved(page: Page) -> None:
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft saved at")


def n_in_advance(exam: Exam) -> int:
    """How often the list of addresses or the page was sent in advance."""
    return AuditEvent.objects.filter(verb=Verb.EXAM_PREFETCHED, object_id=str(exam.pk)).count()


def wait_for_page_in_advance(page: Page, exam: Exam, *, n_before: int = 0) -> None:
    """Wait for the list of addresses and the page; Playwright does not report the request for the page."""
    for _ in range(WAIT_MS // POLL_MS):
        if n_in_advance(exam) >= n_before + 2:
            return
        page.wait_for_timeout(POLL_MS)
    raise AssertionError("The page was not loaded in advance.")


def test_a_second_reader_sees_who_reads(visit: Visit, path: str, reviewer: User, colleague: User) -> None:
    visit(path, colleague)
    page = visit("/", reviewer)
    expect(page.get_by_text("Ruth Reed is reading it")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Read")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A colleague is reading this exam")
    expect(page.locator("[data-viewer-pane]")).to_have_count(0)
    page.get_by_role("button", name="Next exam").click()
    expect(page.get_by_text("No exam is free")).to_be_visible()


def test_a_take_over_while_the_first_reader_types_loses_nothing(
    visit: Visit, path: str, reviewer: User, colleague: User, problems: list[str]
) -> None:
    first, second = visit(path, reviewer), visit(path, colleague)
    grade(first, "2 m ArrowRight 0 m")
    expect_saved(first)
    second.get_by_role("button", name="Take it over").click()
    expect(second.locator("[data-eye-form]")).to_have_count(2)
    expect(second.locator("input:checked[type=radio]")).to_have_count(0)
    first.get_by_label("Note").press_sequentially("Drusen, temporal")
    notice = first.get_by_role("alert").filter(has_text="Ruth Reed is reading this exam")
    expect(notice).to_be_in_viewport()  # although the panel is scrolled to the note
    expect_saved(first)
    first.get_by_role("button", name="Sign").click()
    expect(first.get_by_text("You cannot sign it now.")).to_be_visible()
    assert not Review.objects.exists()
    expect(first.get_by_label("Note")).to_have_value("Drusen, temporal")
    assert ReadingDraft.objects.get(reviewer=reviewer).entries["note"] == "Drusen, temporal"
    first.get_by_role("button", name="Take it back").click()
    expect(first.get_by_text("Draft, not signed.")).to_be_visible()
    expect(first.get_by_label("Note")).to_have_value("Drusen, temporal")
    grade(second, "4")
    expect(second.get_by_role("button", name="Take it back")).to_be_visible()
    first.get_by_role("button", name="Sign").click()
    expect(first.get_by_role("region", name="Signed review")).to_contain_text("Drusen, temporal")
    taken_over = AuditEvent.objects.filter(verb=Verb.EXAM_TAKEN_OVER).order_by("id")
    assert [event.actor for event in taken_over] == [colleague, reviewer]
    assert all("422" in problem for problem in problems)
    problems.clear()


def test_the_key_n_opens_the_next_exam_from_photographs_loaded_in_advance(
    visit: Visit, graded_exam: Exam, later_exam: Exam, reviewer: User
) -> None:
    right, left = (str(pk) for pk in later_exam.images.order_by("laterality").values_list("pk", flat=True))
    page = visit("/", reviewer)
    with (
        page.expect_request_finished(lambda request: right in request.url),
        page.expect_request_finished(lambda request: left in request.url),
    ):
        page.keyboard.press("n")
        expect(page).to_have_url(re.compile(f"{graded_exam.pk}/review/$"))
    assert AuditEvent.objects.filter(verb=Verb.IMAGE_PREFETCHED, object_id__in=(right, left)).count() == 2
    wait_for_page_in_advance(page, later_exam)
    n_before = n_in_advance(later_exam)
    grade(page, "0 m ArrowRight 0 m s s")
    expect(page.get_by_role("region", name="Signed review")).to_be_visible()
    wait_for_page_in_advance(page, later_exam, n_before=n_before)
    assert not ExamLock.objects.exists()
    grade(page, "n")
    expect(page).to_have_url(re.compile(f"{later_exam.pk}/review/$"))
    expect(page.locator("main.is-in-advance")).to_have_count(0)
    expect(page.locator(".is-first[data-viewer-pane] .pane-photo")).to_have_count(2)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_load_state("networkidle")
    verbs = AuditEvent.objects.filter(object_id=str(later_exam.pk)).values_list("verb", flat=True)
    assert {Verb.EXAM_PREFETCHED, Verb.EXAM_LOCKED, Verb.EXAM_VIEWED} <= set(verbs)
    viewed = AuditEvent.objects.filter(verb=Verb.IMAGE_VIEWED, object_id__in=(right, left))
    assert viewed.count() == 2  # by the page: there is no request for them
    assert ExamLock.objects.get().exam == later_exam


def test_a_page_in_advance_of_an_exam_that_a_colleague_takes_is_not_shown(
    visit: Visit, graded_exam: Exam, reviewer: User, colleague: User
) -> None:
    page = visit("/", reviewer)
    wait_for_page_in_advance(page, graded_exam)
    take_exam(exam=graded_exam, by=colleague)
    page.keyboard.press("n")
    expect(page.get_by_text("No exam is free")).to_be_visible()
    assert not AuditEvent.objects.filter(actor=reviewer, verb=Verb.EXAM_VIEWED).exists()


def test_a_released_exam_is_free_for_the_second_reader(
    visit: Visit, path: str, reviewer: User, colleague: User
) -> None:
    first = visit(path, reviewer)
    first.get_by_role("button", name="Release this exam").click()
    expect(first.get_by_text("The exam is free again.")).to_be_visible()
    second = visit(path, colleague)
    expect(second.locator("[data-eye-form]")).to_have_count(2)
