"""Photographs that are removed, confirmed or added while a request for them is under way."""

import zipfile
from io import BytesIO

import pytest
from playwright.sync_api import Page, expect

from screening.models import Exam, FundusImage, PhotoUpload, User
from tests.browser.conftest import Visit, choose_photos, hold, wait_until
from tests.builders import photo_bytes

pytestmark = pytest.mark.browser
IMAGES = "**/exams/*/images/"


@pytest.fixture
def page(visit: Visit, open_exam: Exam, photographer: User) -> Page:
    """The page of an exam without photographs."""
    return visit(f"/exams/{open_exam.pk}/", photographer)


def test_a_photograph_that_is_confirmed_while_its_eye_is_recognised_is_added_once(page: Page) -> None:
    requests, added = hold(page, "**/suggest-eye"), hold(page, IMAGES)
    rows = choose_photos(page, {"IMG_0001.jpg": photo_bytes()})
    wait_until(page, lambda: len(requests) == 1)
    rows.get_by_label("Right eye (OD)").check()
    rows.get_by_role("button", name="Confirm: right eye (OD)").click()
    wait_until(page, lambda: len(added) == 1)
    with page.expect_response("**/suggest-eye"):
        requests[0].continue_()
    added[0].continue_()
    expect(rows).to_have_count(0)
    assert len(added) == 1


def test_a_photograph_that_is_removed_without_a_connection_is_not_added_later(page: Page, problems: list[str]) -> None:
    page.route(IMAGES, lambda route: route.abort())
    rows = choose_photos(page, {"eye_OD.jpg": photo_bytes(seed=1), "eye_OS.jpg": photo_bytes(seed=2)})
    rows.filter(has_text="eye_OD.jpg").get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("The connection is lost. 1 photograph waits")).to_be_visible()
    rows.filter(has_text="eye_OD.jpg").get_by_role("button", name="Remove").click()
    page.unroute(IMAGES)
    page.evaluate("window.dispatchEvent(new Event('online'))")  # the pause ends
    rows.get_by_role("button", name="Confirm").click()
    expect(rows).to_have_count(0)
    assert [image.laterality for image in FundusImage.objects.all()] == ["OS"]
    assert [problem for problem in problems if "ERR_" not in problem] == []
    problems.clear()


def test_a_photograph_that_is_removed_while_it_is_added_leaves_the_others(page: Page, problems: list[str]) -> None:
    added = hold(page, IMAGES)
    rows = choose_photos(page, {"eye_OD.jpg": photo_bytes(seed=1), "a_OS.jpg": photo_bytes(seed=2), "IMG_3.jpg": b"x"})
    rows.filter(has_text="eye_OD.jpg").get_by_role("button", name="Confirm").click()
    wait_until(page, lambda: len(added) == 1)
    answer = added[0].fetch()
    rows.filter(has_text="eye_OD.jpg").get_by_role("button", name="Remove").click()
    added[0].fulfill(response=answer)
    expect(page.locator("#eyes").get_by_role("article")).to_have_count(1)
    assert page.evaluate("window.capture.tray.rows.length") == 2
    expect(rows).to_have_count(2)
    assert all("404" in problem for problem in problems)  # the upload is deleted by then
    problems.clear()


def test_photographs_that_are_removed_before_their_turn_are_not_sent(page: Page) -> None:
    sent = hold(page, "**/api/v1/exams/*/uploads")
    rows = choose_photos(page, {f"{n}_OD.jpg": photo_bytes(seed=n) for n in range(5)})
    wait_until(page, lambda: len(sent) == 3)
    rows.filter(has_text="4_OD.jpg").get_by_role("button", name="Remove").click()
    for one in sent:
        one.continue_()
    page.unroute("**/api/v1/exams/*/uploads")
    page.get_by_role("button", name="Confirm all 4").click()
    expect(rows).to_have_count(0)
    assert FundusImage.objects.count() == 4
    assert not PhotoUpload.objects.exists()


def test_an_archive_that_is_removed_while_it_is_unpacked_leaves_nothing(page: Page, problems: list[str]) -> None:
    requests = hold(page, "**/unpack")
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("OS.jpg", photo_bytes())
    rows = choose_photos(page, {"visit.zip": written.getvalue()})
    wait_until(page, lambda: len(requests) == 1)
    answer = requests[0].fetch()
    assert PhotoUpload.objects.count() == 1
    rows.get_by_role("button", name="Remove").click()
    requests[0].fulfill(response=answer)
    wait_until(page, lambda: not PhotoUpload.objects.exists())
    expect(rows).to_have_count(0)
    assert all("404" in problem for problem in problems)  # the archive is deleted by then
    problems.clear()


def test_a_photograph_whose_answer_was_lost_is_not_reported_as_failed(page: Page, problems: list[str]) -> None:
    added = hold(page, IMAGES)
    rows = choose_photos(page, {"eye_OD.jpg": photo_bytes()})
    rows.get_by_role("button", name="Confirm").click()
    wait_until(page, lambda: len(added) == 1)
    added[0].fetch()
    added[0].abort()
    page.unroute(IMAGES)
    expect(rows).to_have_count(0)
    expect(page.locator("#eyes").get_by_role("article")).to_have_count(1)
    assert FundusImage.objects.count() == 1
    assert all("ERR_" in problem or "404" in problem for problem in problems)
    problems.clear()


def test_two_photographs_that_are_added_at_almost_the_same_time_are_both_shown(page: Page, open_exam: Exam) -> None:
    requests = hold(page, "**/exams/*/status/**")
    rows = choose_photos(page, {"eye_OD.jpg": photo_bytes(seed=1), "eye_OS.jpg": photo_bytes(seed=2)})
    rows.filter(has_text="eye_OD.jpg").get_by_role("button", name="Confirm").click()
    wait_until(page, lambda: len(requests) == 1)
    open_exam.images.get().gradings.update(status="failed", failure_code="unexpected")  # nothing is pending
    answer = requests[0].fetch()
    rows.get_by_role("button", name="Confirm").click()
    expect(rows).to_have_count(0)
    requests[0].fulfill(response=answer)
    page.unroute("**/exams/*/status/**")
    expect(page.locator("#eyes").get_by_role("article")).to_have_count(2)


def test_an_upload_under_way_keeps_nothing_in_the_browser_after_the_log_out(page: Page) -> None:
    sent = hold(page, "**/api/v1/exams/*/uploads")
    choose_photos(page, {"eye_OD.jpg": photo_bytes()})
    wait_until(page, lambda: len(sent) == 1)
    left = hold(page, "**/logout/")
    page.get_by_role("button", name="Log out").click(no_wait_after=True)
    wait_until(page, lambda: len(left) == 1)
    with page.expect_response("**/api/v1/uploads/*"):
        sent[0].continue_()
    left[0].continue_()
    expect(page.get_by_label("User name")).to_be_visible()
    assert "waiting-photographs" not in page.evaluate(
        "async () => (await indexedDB.databases()).map((one) => one.name)"
    )
