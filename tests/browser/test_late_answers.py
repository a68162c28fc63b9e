"""Answers of the server that come late: what they are about is no longer wanted, or a newer one is shown."""

import pytest
from django.core.files.base import ContentFile
from playwright.sync_api import Page, Route, expect

from ml.vocabulary import Laterality
from screening.models import Exam, FundusImage, ReadingLayout, Site, User
from screening.services.patients import store_search_terms
from screening.views import documents
from tests.browser.conftest import Visit, hold, synthetic_photo, wait_until
from tests.browser.test_drafts import expect_saved, grade
from tests.screening.documents import DocumentFactory
from tests.screening.factories import FundusImageFactory, GradingFactory, PatientFactory
from tests.screening.reports.golden import negative

pytestmark = pytest.mark.browser
HIDE_PANEL_AND_LEAVE = "document.querySelector('[data-layout-do=panel]').click(); location.assign('/patients/');"


@pytest.fixture
def people(open_exam: Exam) -> None:
    """Two people whose names begin alike."""
    for name in ("Miller", "Millstone"):
        store_search_terms(PatientFactory(site=open_exam.site, family_name=name, given_name="Ada"))


def open_search(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Search")).to_be_visible()


def test_a_search_that_is_answered_late_does_not_name_people_to_the_next_user(
    visit: Visit, people: None, photographer: User
) -> None:
    page = visit("/patients/", photographer)
    open_search(page)
    requests = hold(page, "**/search/")
    page.keyboard.type("Mill")
    wait_until(page, lambda: len(requests) == 1)
    page.keyboard.press("Escape")
    with page.expect_response("**/search/"):
        requests[0].continue_()
    open_search(page)
    expect(page.get_by_role("option")).to_have_count(0)
    page.unroute("**/search/")
    page.keyboard.type("Millst")
    expect(page.get_by_role("option").filter(has_text="Millstone")).to_be_visible()


def test_enter_does_not_open_a_person_of_an_earlier_text(visit: Visit, people: None, photographer: User) -> None:
    page = visit("/patients/", photographer)
    open_search(page)
    page.keyboard.type("Mill")
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    requests = hold(page, "**/search/")
    page.keyboard.type("st")
    page.unroute("**/search/")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Search")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("link", name="Millstone")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("link", name="Miller")).to_have_count(0)
    assert len(requests) <= 1


def test_the_warning_of_the_session_stays_closed_after_a_late_answer(
    visit: Visit, open_exam: Exam, photographer: User
) -> None:
    page = visit("/patients/", photographer)
    requests = hold(page, "**/session/status/")
    page.evaluate("() => { window.state = window.askSession(); }")
    wait_until(page, lambda: len(requests) == 1)
    stay = page.get_by_role("button", name="Stay logged in", include_hidden=True)
    with page.expect_response("**/session/extend/"):
        stay.dispatch_event("click")
    requests[0].fulfill(json={"seconds_left": 30, "is_extendable": True, "account": str(photographer.pk)})
    assert page.evaluate("window.state") == "open"
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # the page compares the time
    expect(page.get_by_role("alertdialog")).to_be_hidden()
    assert len(requests) == 1


@pytest.fixture
def exam_with_two_fields(graded_exam: Exam) -> Exam:
    """The right eye has a second photograph."""
    file = ContentFile(synthetic_photo(1, "OD"), name="photo.jpg")
    image = FundusImageFactory(exam=graded_exam, laterality=Laterality.RIGHT, field=FundusImage.Field.DISC, file=file)
    GradingFactory(image=image, is_done=True, grade=1)
    return graded_exam


def test_a_photograph_is_not_shown_under_the_name_of_the_next_one(
    visit: Visit, exam_with_two_fields: Exam, reviewer: User
) -> None:
    page = visit(f"/exams/{exam_with_two_fields.pk}/review/", reviewer)
    photo = page.locator("[data-viewer-photo]").first
    choices = page.locator("[data-viewer-show][data-laterality=OD]")
    first, second = (choices.nth(n) for n in (0, 1))
    if first.get_attribute("aria-pressed") != "true":
        first, second = second, first
    requests: list[Route] = hold(page, f"**{second.get_attribute('data-src')}")
    second.click()
    wait_until(page, lambda: len(requests) == 1)
    assert photo.evaluate("photo => photo.naturalWidth") == 0
    first.click()  # before the second one is loaded
    page.keyboard.press("g")
    expect(page.locator("[data-viewer-canvas]").first).to_be_visible()


def test_a_choice_for_the_next_report_stays_while_one_is_made(
    visit: Visit, site: Site, reviewer: User, shared_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "missing_libraries", tuple)
    review = negative(site)
    DocumentFactory(review=review)
    page = visit(f"/exams/{review.exam_id}/reports/", reviewer)
    language = page.get_by_label("Language of the report")
    language.select_option("es")
    reports = page.locator("#reports")
    reports.evaluate("reports => { reports.dataset.isReplaced = 'no'; }")
    expect(reports).not_to_have_attribute("data-is-replaced", "no")
    expect(language).to_have_value("es")


def test_an_arrangement_is_kept_if_the_page_is_left_at_once(visit: Visit, graded_exam: Exam, reviewer: User) -> None:
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    page.evaluate(HIDE_PANEL_AND_LEAVE)
    wait_until(page, lambda: ReadingLayout.objects.filter(user=reviewer, shows_panel=False).exists())


def test_a_late_answer_does_not_remove_the_notice_of_a_newer_draft(
    visit: Visit, graded_exam: Exam, reviewer: User, problems: list[str]
) -> None:
    path = f"/exams/{graded_exam.pk}/review/"
    page = visit(path, reviewer)
    requests = hold(page, "**/review/status/**")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    wait_until(page, lambda: len(requests) == 1)
    other = page.context.new_page()
    other.goto(path)
    grade(other, "1")
    expect_saved(other)
    grade(page, "4")
    notice = page.get_by_role("alert").filter(has_text="A newer draft of this reading")
    expect(notice).to_be_visible()
    with page.expect_event("requestfinished", lambda request: request.url == requests[0].request.url):
        requests[0].fulfill(json={"code": "", "notice": ""})
    expect(page.locator("[data-draft-state]")).to_contain_text("see the message above")
    expect(notice).to_be_visible()
    assert all("409" in problem for problem in problems)
    problems.clear()
