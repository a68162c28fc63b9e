"""The worklist: keys, a click on a row, filters as a link, a search that leaves no trace, compact rows."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from screening.models import AuditEvent, Exam, Patient, Site, User, WorklistLayout
from screening.services.exam_locks import take_exam
from screening.services.patients import store_search_terms
from tests.browser.conftest import PHONE, Visit
from tests.screening.factories import ExamFactory, MembershipFactory, PatientFactory

pytestmark = pytest.mark.browser

NAMES = ("Agnesi", "Curie", "Lovelace")


@pytest.fixture
def exams(site: Site, shared_database: str) -> list[Exam]:
    """Three exams that wait for a reviewer; the first one is overdue."""
    found = []
    for number, name in enumerate(NAMES):
        patient = PatientFactory(site=site, family_name=name, given_name="Ada")
        store_search_terms(patient)
        submitted_at = timezone.now() - timedelta(days=15 - 7 * number)
        found.append(ExamFactory(patient=patient, is_submitted=True, submitted_at=submitted_at))
    return found


def rows(page: Page) -> Locator:
    return page.locator("[data-worklist-row]")


def test_j_k_and_enter_choose_and_open_an_exam(visit: Visit, exams: list[Exam], reviewer: User) -> None:
    page = visit("/", reviewer)
    expect(rows(page)).to_have_count(3)
    for key, number in (("j", 0), ("j", 1), ("j", 2), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        expect(page.locator("[data-worklist-row]:focus-within")).to_contain_text(NAMES[number])
    page.keyboard.press("?")
    expect(page.locator("#shortcut-help")).to_contain_text("next row, previous row")
    page.keyboard.press("?")
    page.keyboard.press("/")
    page.keyboard.type("jk")  # in a field they are letters
    expect(page.get_by_label("Medical record number or name")).to_have_value("jk")
    page.get_by_role("link", name="Read Agnesi").focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/exams/{exams[1].pk}/review/")


def test_a_click_on_a_row_opens_its_exam(visit: Visit, exams: list[Exam], reviewer: User) -> None:
    page = visit("/", reviewer)
    page.get_by_text("Lovelace, Ada").first.click()
    page.wait_for_url(f"**/exams/{exams[2].pk}/review/")


def test_keys_can_be_switched_off(visit: Visit, exams: list[Exam], reviewer: User) -> None:
    page = visit("/", reviewer)
    page.keyboard.press("?")
    page.get_by_label("Single-key shortcuts are on").uncheck()
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("j")
    expect(page.locator("[data-worklist-row]:focus-within")).to_have_count(0)


def test_a_colleague_opens_the_link_of_the_filters(visit: Visit, exams: list[Exam], site: Site, reviewer: User) -> None:
    page = visit("/", reviewer)
    page.get_by_label("Overdue").check()
    expect(rows(page)).to_have_count(1)
    page.wait_for_function("!document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')")
    page.get_by_label("Order").focus()
    expect(page.get_by_label("Order")).to_be_focused()
    page.get_by_label("Order").select_option("patient")
    expect(page).to_have_url(re.compile(r"/\?state=waiting&overdue=yes&sort=patient$"))
    expect(page.get_by_label("Order")).to_be_focused()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("status").first).to_contain_text("The link is copied.")
    link = page.evaluate("navigator.clipboard.readText()")

    colleague = MembershipFactory(site=site, role="reviewer").user
    other = visit(link, colleague)
    expect(rows(other)).to_have_count(1)
    expect(rows(other)).to_contain_text("Agnesi")
    expect(other.get_by_label("Overdue")).to_be_checked()
    expect(other.get_by_label("Order")).to_have_value("patient")
    other.get_by_role("link", name="Show all").click()
    expect(rows(other)).to_have_count(3)


def test_the_next_exam_is_one_of_the_filtered_list(
    visit: Visit, exams: list[Exam], graded_exam: Exam, reviewer: User
) -> None:
    page = visit("/", reviewer)
    page.get_by_label("Quality").select_option("good")
    expect(rows(page)).to_have_count(1)
    next_exam = page.get_by_role("button", name="Next exam")
    expect(next_exam).to_have_attribute("title", "Next exam of the filtered list")
    next_exam.click()
    page.wait_for_url(f"**/exams/{graded_exam.pk}/review/")


def test_a_search_leaves_its_text_in_no_address_and_no_log(
    visit: Visit, exams: list[Exam], reviewer: User, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    page = visit("/", reviewer)
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url.partition("/static/")[0]))
    n_pages = page.evaluate("history.length")
    page.get_by_label("Medical record number or name").fill("lovel")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_role("status").first).to_contain_text("1 exam found.")
    expect(page.get_by_label("Medical record number or name")).to_be_focused()
    page.get_by_label("Overdue").check()  # the filters apply to what was searched
    expect(page.get_by_text("No exam in this list matches.")).to_be_visible()
    assert page.evaluate("[history.length, JSON.stringify(history.state)]") == [n_pages, '{"htmx":true}']
    logged = caplog.text + "".join(capfd.readouterr())
    assert logged.count("POST screening:worklist 200") >= 2
    assert not [text for text in (*addresses, page.url, logged) if "lovel" in text.lower()]
    events = AuditEvent.objects.filter(verb="patients.searched")
    assert sorted(event.data["n_found"] for event in events) == [0, 1]


def test_compact_rows_are_remembered(visit: Visit, exams: list[Exam], reviewer: User) -> None:
    page = visit("/", reviewer)
    switch = page.get_by_role("button", name="Compact rows")
    expect(switch).to_have_attribute("aria-pressed", "true")
    assert rows(page).first.bounding_box()["height"] == 32  # type: ignore[index]  # it is visible
    with page.expect_response("**/worklist-layout/") as response:
        switch.click()
    assert response.value.status == 204
    page.reload()
    expect(switch).to_have_attribute("aria-pressed", "false")
    assert rows(page).first.bounding_box()["height"] > 40  # type: ignore[index]
    assert not WorklistLayout.objects.get(user=reviewer).is_dense


def test_a_search_without_a_connection_states_it(
    visit: Visit, exams: list[Exam], reviewer: User, problems: list[str]
) -> None:
    page = visit("/", reviewer)
    page.context.set_offline(True)
    page.get_by_label("Medical record number or name").fill("curie")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The server did not respond.")
    expect(page.get_by_label("Medical record number or name")).to_have_value("curie")
    expect(rows(page)).to_have_count(3)
    problems.clear()  # the browser reports the lost request


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768), (768, 1024), PHONE])
def test_the_page_is_not_wider_than_the_window(
    visit: Visit, exams: list[Exam], graded_exam: Exam, site: Site, reviewer: User, size: tuple[int, int]
) -> None:
    take_exam(exam=exams[2], by=MembershipFactory(site=site, role="reviewer").user)
    Patient.objects.update(given_name="Maria Magdalena Wilhelmina Antonia")  # wide columns
    page = visit("/", reviewer, size=size)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    if size != PHONE:
        for link in page.get_by_role("link", name=re.compile("^Read ")).all():
            expect(link).to_be_in_viewport(ratio=1)
