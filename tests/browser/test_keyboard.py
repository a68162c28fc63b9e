"""Keyboard only: login, a review with one key for each decision."""

import pytest
from playwright.sync_api import expect

from screening.models import Exam, EyeFinding, FirstReading, Review, Site, User
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


def test_login_and_skip_link(visit: Visit, reviewer: User) -> None:
    page = visit("/login/")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type(reviewer.username)
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Worklist")).to_be_visible()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_an_exam_is_read_and_signed(visit: Visit, graded_exam: Exam, site: Site, reviewer: User) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    press = page.keyboard.press
    for key in ("3", "m", "ArrowRight", "1", "m", "s", "s"):
        press(key)
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(2)
    expect(page.get_by_role("group", name="Your reading")).to_be_focused()

    heat = page.locator("[data-viewer-heat]").first
    page.keyboard.down("h")
    expect(heat).to_be_visible()
    page.keyboard.up("h")
    expect(heat).to_be_hidden()

    press("ArrowRight")
    press("2")  # a change needs a reason
    reason = page.get_by_label("Why did you change your first reading?").locator("visible=true")
    expect(reason).to_be_visible()
    reason.focus()
    page.keyboard.type("Cotton wool spot, seen red-free. s")  # letters in a text field are not shortcuts
    press("Tab")
    expect(page.get_by_label("Note")).to_be_focused()
    expect(page.locator("#outcome-preview")).to_contain_text("If you sign this")
    press("Tab")
    expect(page.get_by_role("button", name="Sign")).to_be_focused()
    press("s")
    expect(page.get_by_role("region", name="Signed review")).to_contain_text("Cotton wool spot")

    review = Review.objects.get()
    found = EyeFinding.objects.filter(review=review).order_by("laterality").values_list("laterality", "grade")
    assert list(found) == [("OD", 3), ("OS", 2)]
    first = FirstReading.objects.order_by("laterality").values_list("laterality", "grade")
    assert list(first) == [("OD", 3), ("OS", 1)]


def test_a_normal_exam_takes_nine_keystrokes(visit: Visit, graded_exam: Exam, site: Site, reviewer: User) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    reading, signature = ["0", "m", "ArrowRight", "0", "m", "s", "s"], ["s", "s"]
    assert len(reading + signature) == 9
    for key in reading:
        page.keyboard.press(key)
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(2)
    for key in signature:
        page.keyboard.press(key)
    expect(page.get_by_role("region", name="Signed review")).to_be_visible()
    assert Review.objects.get().outcome == "rescreen"
    assert set(EyeFinding.objects.values_list("grade", "macular_oedema")) == {(0, "none")}


def test_single_key_shortcuts_can_be_switched_off(visit: Visit, graded_exam: Exam, reviewer: User) -> None:
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    page.keyboard.press("?")
    page.get_by_label("Single-key shortcuts are on").uncheck()
    page.get_by_role("main").focus()
    page.keyboard.press("4")
    expect(page.locator('input[name="OD-verdict"]:checked')).to_have_count(0)
    page.get_by_label("Single-key shortcuts are on").check()
    page.keyboard.press("4")
    expect(page.locator('input[name="OD-verdict"]:checked')).to_have_value("4")
