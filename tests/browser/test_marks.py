"""Marks on the photographs: drawn by pointer and keyboard, kept with the reading, hidden, signed, shown afterwards."""

import json
import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from screening.models import Exam, LesionMark, ReadingDraft, Review, Site, User
from tests.browser.conftest import Visit, wait_until
from tests.browser.test_axe import ALL

pytestmark = pytest.mark.browser


@pytest.fixture
def reading(visit: Visit, graded_exam: Exam, site: Site, reviewer: User) -> Page:
    """The reading page of a blind first reading, with the bar for drawing open."""
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    page.keyboard.press("k")
    expect(page.locator("[data-marks-bar]")).to_be_visible()
    return page


def pane_of(page: Page, eye: str) -> Locator:
    return page.locator(f".pane.is-first.is-{eye} [data-viewer-window]")


def centre_of(pane: Locator) -> tuple[float, float]:
    box: Any = pane.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def fractions_of_photo(page: Page, eye: str) -> tuple[float, float]:
    """The middle of the first mark as fractions of the photograph, measured on the screen."""
    mark: Any = pane_of(page, eye).locator(".mark").first.bounding_box()
    photo: Any = pane_of(page, eye).locator("[data-viewer-photo]").bounding_box()
    x, y = mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2
    return (x - photo["x"]) / photo["width"], (y - photo["y"]) / photo["height"]


def drag(page: Page, points: list[tuple[float, float]]) -> None:
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()


def draw_each_shape(page: Page, eye: str = "OD") -> None:
    x, y = centre_of(pane_of(page, eye))
    choose = page.locator("[data-marks-bar]").get_by_role("button")
    page.mouse.click(x, y)
    choose.filter(has_text="Circle").click()
    page.get_by_label("Kind of lesion").select_option(label="Hard exudate")
    drag(page, [(x + 60, y), (x + 80, y)])
    choose.filter(has_text="Outline").click()
    page.get_by_label("Kind of lesion").select_option(label="Haemorrhage")
    drag(page, [(x - 60, y - 60), (x - 20, y - 60), (x - 20, y - 20), (x - 60, y - 20), (x - 60, y - 55)])


def test_marks_are_kept_with_the_draft_the_reading_and_the_signed_review(reading: Page, graded_exam: Exam) -> None:
    page, shapes = reading, pane_of(reading, "OD").locator(".mark")
    draw_each_shape(page)
    expect(shapes).to_have_count(3)
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft saved")
    page.reload()
    expect(shapes).to_have_count(3)
    page.keyboard.press("e")
    expect(shapes.first).to_be_hidden()
    page.keyboard.press("e")
    expect(shapes.first).to_be_visible()

    for key in ("0", "m", "ArrowRight", "0", "m", "s", "s"):
        page.keyboard.press(key)
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(2)
    expect(shapes).to_have_count(3)
    for key in ("s", "s"):
        page.keyboard.press(key)
    signed = page.get_by_role("region", name="Signed review")
    expect(signed).to_contain_text("Microaneurysm × 1, Hard exudate × 1, Haemorrhage × 1")
    expect(shapes).to_have_count(3)
    stored = LesionMark.objects.filter(finding__review=Review.objects.get())
    assert [one.shape for one in stored] == ["point", "circle", "outline"]
    assert {str(one.image_id) for one in stored} == {str(graded_exam.images.get(laterality="OD").pk)}
    point, circle, outline = stored
    assert point.points[0] == pytest.approx([0.5, 0.5], abs=0.05)
    assert circle.radius == pytest.approx(circle.points[0][0] / 10, abs=0.1)
    assert 4 <= len(outline.points) <= 8  # a square drawn by hand
    assert LesionMark.objects.filter(first_reading__isnull=False).count() == 3

    page.keyboard.press("k")  # a signed review is not changed
    expect(page.locator("[data-marks-hint]")).to_contain_text("Signed marks do not change")
    expect(page.get_by_label("Kind of lesion")).to_be_hidden()
    page.locator("summary", has_text="Amend this review").click()
    expect(page.get_by_label("Kind of lesion")).to_be_visible()
    page.locator("[data-marks-list=OD] summary").click()
    page.get_by_role("button", name="Delete mark 1").click()
    expect(shapes).to_have_count(2)
    page.get_by_label("Why is the signed review amended?").fill("No microaneurysm")
    page.get_by_role("button", name="Sign the amendment").click()
    expect(signed).to_contain_text("No microaneurysm")
    expect(shapes).to_have_count(2)
    page.get_by_role("button", name="Show the marks of this version").click()
    expect(shapes).to_have_count(3)


def test_a_keyboard_draws_moves_and_deletes_marks(reading: Page) -> None:
    page, pane = reading, pane_of(reading, "OD")
    shapes, press = pane.locator(".mark"), reading.keyboard.press
    pane.focus()
    press("Enter")  # the cross
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        press(key)
    expect(shapes).to_have_count(1)
    page.get_by_role("button", name="Circle").press("Enter")
    pane.focus()
    for key in ("Enter", "Enter", "ArrowUp", "ArrowUp", "Enter"):
        press(key)
    expect(shapes).to_have_count(2)
    page.get_by_role("button", name="Outline").press("Enter")
    pane.focus()
    for key in ("Enter", "Enter", *["ArrowLeft"] * 5, "Enter", *["ArrowDown"] * 5, "Enter", "Enter"):
        press(key)
    expect(shapes).to_have_count(3)
    expect(page.locator("[data-marks-live]")).to_contain_text("outline. Marks of this eye: 3")

    first = shapes.first
    before: Any = first.bounding_box()
    first.focus()
    press("ArrowLeft")
    wait_until(page, lambda: (first.bounding_box() or before)["x"] < before["x"])
    kind = page.get_by_label("Kind of lesion")
    kind.select_option(label="Haemorrhage")
    expect(pane.get_by_role("button", name="1: Haemorrhage, point")).to_have_class(re.compile("is-selected"))
    pane.focus()
    expect(kind).to_have_value("microaneurysms")  # of the next mark
    first.focus()
    press("Delete")
    expect(shapes).to_have_count(2)
    page.get_by_role("button", name="Undo the last change of marks").press("Enter")
    expect(shapes).to_have_count(3)
    page.locator("[data-marks-list=OD] summary").click()
    rows = page.locator("[data-marks-list=OD]")
    rows.get_by_label("Kind of mark 3").focus()
    rows.get_by_label("Kind of mark 3").select_option(label="Hard exudate")
    expect(rows.get_by_label("Kind of mark 3")).to_be_focused()
    rows.get_by_role("button", name="Delete mark 2: Microaneurysm, circle").press("Enter")
    expect(shapes).to_have_count(2)
    expect(page.locator("[data-marks-list=OD] [data-marks-count]")).to_have_text("2")
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft saved")
    marks = json.loads(ReadingDraft.objects.get().entries["OD-marks"])
    assert [one["kind"] for one in marks] == ["haemorrhages", "hard_exudates"]
    serious = [one for one in Axe().run(page, options=ALL).response["violations"] if one["impact"] != "moderate"]
    assert serious == []


def test_a_mark_stays_on_its_lesion_and_is_refused_outside_the_photograph(reading: Page) -> None:
    page, pane = reading, pane_of(reading, "OD")
    x, y = centre_of(pane)
    page.mouse.click(x + 40, y + 20)
    mark = pane.locator(".mark")
    expect(mark).to_have_count(1)
    before = fractions_of_photo(page, "OD")
    page.mouse.move(x + 40, y + 20)
    page.mouse.wheel(0, -100)
    page.wait_for_function("window.viewer.panes[0].zoom > 1.1")
    pane.press("-")  # the keys of the viewer work while marks are drawn
    page.wait_for_function("window.viewer.panes[0].zoom < 1.1")
    page.get_by_role("button", name="Zoom in").click(click_count=3)
    wait_until(page, lambda: fractions_of_photo(page, "OD") == pytest.approx(before, abs=0.003))
    page.keyboard.press("f")
    box: Any = pane.bounding_box()
    page.mouse.click(x, box["y"] + 4)
    expect(page.locator("[data-marks-live]")).to_contain_text("outside the photograph")
    expect(mark).to_have_count(1)
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft saved")
    assert ReadingDraft.objects.get().entries["OD-marks"].count("point") == 2  # "shape": "point", "points"


def test_a_finger_draws_and_two_fingers_move_the_photograph(reading: Page) -> None:
    page, pane = reading, pane_of(reading, "OD")
    x, y = centre_of(pane)
    device = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": point[0], "y": point[1], "id": number} for number, point in enumerate(points)]
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    page.get_by_role("button", name="Outline").click()
    touch("touchStart", (x, y))
    for point in ((x + 40, y), (x + 40, y + 40), (x, y + 40)):
        touch("touchMove", point)
    touch("touchEnd")
    expect(pane.locator(".mark")).to_have_count(1)

    touch("touchStart", (x, y))
    touch("touchStart", (x, y), (x + 30, y))
    for step in range(1, 5):
        touch("touchMove", (x - 10 * step, y), (x + 30 + 10 * step, y))
    touch("touchEnd")
    page.wait_for_function("window.viewer.panes[0].zoom > 1.2")
    expect(pane.locator(".mark")).to_have_count(1)
    touch("touchStart", (x, y + 80))
    touch("touchMove", (x + 30, y + 80))
    touch("touchMove", (x + 30, y + 110))
    touch("touchEnd")
    expect(pane.locator(".mark")).to_have_count(2)
    page.get_by_role("button", name="Outline", exact=True).click()  # a finger selects a mark now
    first: Any = pane.locator(".mark").first

    def is_selected_by_touch() -> bool:
        edge = first.bounding_box()  # it moves until the zoomed photograph is drawn
        touch("touchStart", (edge["x"] + edge["width"] / 2, edge["y"] - 2))
        touch("touchEnd")
        return "is-selected" in (first.get_attribute("class") or "").split()

    wait_until(page, is_selected_by_touch)
    page.get_by_label("Kind of lesion").select_option(label="Cotton-wool spot")
    expect(pane.get_by_role("button", name="1: Cotton-wool spot, outline")).to_be_visible()
