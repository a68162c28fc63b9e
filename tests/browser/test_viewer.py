"""The viewer of the review page: one screen, views, full screen."""

import re
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from itertools import pairwise
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from screening.models import Exam, FirstReading, ReadingLayout, Site, User
from tests.browser.conftest import PHONE, WIDE, Visit, synthetic_photo, wait_until
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    ReviewFactory,
)

pytestmark = pytest.mark.browser

MIN_VIEWER_FRACTION = 0.7
TABLET = (1024, 768)


def height_of(page: Page, selector: str) -> float:
    box: Any = page.locator(selector).bounding_box()
    return float(box["height"])


def assert_one_screen(page: Page) -> None:
    """The photographs have most of the height, and they and the save button are in view without scrolling."""
    size: Any = page.viewport_size
    assert height_of(page, ".viewer") >= MIN_VIEWER_FRACTION * size["height"]
    if size["width"] >= 1440:
        assert height_of(page, ".panes") >= MIN_VIEWER_FRACTION * size["height"]
    expect(page.locator("[data-save]")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.querySelector('main').getBoundingClientRect().bottom <= innerHeight")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert n_toolbar_rows(page) == 1


def n_toolbar_rows(page: Page) -> int:
    """Number of rows of the toolbar's buttons, not those of a closed menu."""
    buttons = page.get_by_role("toolbar").locator("button:visible, summary:visible").all()
    tops = sorted(box["y"] + box["height"] / 2 for box in (button.bounding_box() for button in buttons) if box)
    return 1 + sum(after - before > 10 for before, after in pairwise(tops))


def test_a_reading_is_one_screen(visit: Visit, graded_exam: Exam, site: Site, reviewer: User) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    press = page.keyboard.press
    press("g")  # the button that resets the adjustments is in the toolbar too
    for size in (TABLET, WIDE):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        assert_one_screen(page)
    for key in ("0", "m", "ArrowRight", "0", "m", "s", "s"):
        press(key)
    expect(page.locator("#outcome-preview")).to_contain_text("If you sign this")
    expect(page.get_by_role("table", name="The model's result").get_by_role("row")).to_have_count(3)
    for size in (WIDE, TABLET):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        assert_one_screen(page)
        for line in ("OD Severe", "OS Moderate"):
            expect(page.get_by_role("row", name=line)).to_be_in_viewport(ratio=1)
        expect(page.locator("#outcome-preview")).to_be_in_viewport(ratio=1)
        expect(page.get_by_role("button", name="Heatmap", exact=True)).to_be_in_viewport(ratio=1)
        for key, eye in (("ArrowLeft", "OD"), ("ArrowRight", "OS")):
            press(key)
            expect(page.locator(f"[data-eye-form={eye}] .grades").first).to_be_in_viewport(ratio=1)

    press("p")
    expect(page.locator("[data-save]")).to_be_hidden()
    press("x")
    one: Any = page.get_by_role("region", name="Left eye").first.bounding_box()
    assert (one["width"], one["height"]) == TABLET
    press("s")  # what is to be signed is in view before it is signed
    expect(page.locator("[data-save]")).to_be_in_viewport()


def test_a_phone_has_two_rows_of_tools_and_a_menu_by_keyboard(visit: Visit, graded_exam: Exam, reviewer: User) -> None:
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer, size=PHONE)
    page.keyboard.press("g")
    assert n_toolbar_rows(page) == 2
    page.keyboard.press("r")
    menu = page.locator("summary", has_text="More tools")
    page.get_by_role("button", name="Selected eye on the full screen").focus()
    for key in ("Tab", "Enter", "Tab", "Enter"):
        page.keyboard.press(key)
    inverted = page.get_by_role("button", name="Inverted")
    expect(inverted).to_be_focused()
    expect(inverted).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(inverted).to_be_hidden()
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("main").focus()
    expect(inverted).to_be_hidden()


@pytest.fixture
def followed_exam(graded_exam: Exam, reviewer: User) -> Exam:
    """An exam whose patient was photographed a year ago; that visit was signed: right eye mild, left eye none."""
    earlier = ExamFactory(patient=graded_exam.patient, opened_by=graded_exam.opened_by)
    earlier_at = timezone.now() - timedelta(days=365)
    Exam.objects.filter(pk=earlier.pk).update(created_at=earlier_at)
    review = ReviewFactory(exam=earlier, reviewer=reviewer)
    for eye, grade in (("OD", 1), ("OS", 0)):
        file = ContentFile(synthetic_photo(grade, eye), name="photo.jpg")
        GradingFactory(image=FundusImageFactory(exam=earlier, laterality=eye, file=file), is_done=True, grade=grade)
        EyeFindingFactory(review=review, laterality=eye, grade=grade)
    return graded_exam


def test_the_visit_before_is_beside_this_one_and_in_its_place(
    visit: Visit, followed_exam: Exam, reviewer: User
) -> None:
    page = visit(f"/exams/{followed_exam.pk}/review/", reviewer)
    now = page.get_by_role("region", name="Right eye", exact=True)
    before = page.get_by_role("region", name="Right eye, second photograph")
    expect(before).to_be_hidden()
    with page.expect_response("**/reading-layout/"):
        page.keyboard.press("v")
    expect(before).to_be_visible()
    expect(before).to_contain_text("Signed: Mild (1)")
    expect(page.get_by_role("region", name="Left eye", exact=True)).to_be_hidden()
    box: Any = now.bounding_box()
    page.keyboard.press("b")
    expect(now).to_be_hidden()
    two: Any = before.bounding_box()
    assert two["width"] > 1.9 * box["width"]
    page.keyboard.press("b")
    expect(now).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("region", name="Left eye, second photograph")).to_contain_text("Signed: None (0)")
    assert box == page.get_by_role("region", name="Left eye", exact=True).bounding_box()
    assert ReadingLayout.objects.get().view == ReadingLayout.View.VISITS
    page.reload()
    expect(page.get_by_role("region", name="Right eye, second photograph")).to_be_visible()


WITH_SOFTWARE_GL = "WebGL2RenderingContext.prototype.getExtension = () => null"
"""The page then cannot tell that WebGL 2 has no graphics card, and uses it."""


@pytest.mark.parametrize("is_gl", [False, True], ids=["processor", "webgl"])
def test_red_free_has_local_contrast_and_a_reset(is_gl: bool, visit: Visit, graded_exam: Exam, reviewer: User) -> None:
    page = visit("/", reviewer)
    if is_gl:
        page.add_init_script(WITH_SOFTWARE_GL)
    page.goto(f"/exams/{graded_exam.pk}/review/")
    window = page.locator("[data-viewer-window]").first
    photo, canvas = window.locator("[data-viewer-photo]"), window.locator("[data-viewer-canvas]")
    expect(canvas).to_be_hidden()
    colour = window.screenshot()
    page.keyboard.press("g")
    expect(canvas).to_be_visible()
    expect(page.get_by_text("View adjusted")).to_be_visible()
    expect(canvas).to_have_attribute("width", re.compile(r"^\d+$"))  # it is painted
    assert is_grey(window.screenshot())
    assert not is_grey(colour)
    assert (canvas.get_attribute("class") == "is-copy") is not is_gl
    page.locator("summary", has_text="Adjust").click()
    expect(page.get_by_text("This computer draws without WebGL 2")).to_be_visible(visible=not is_gl)
    page.keyboard.press("r")
    expect(canvas).to_be_hidden()
    expect(photo).to_be_visible()
    expect(page.get_by_text("View adjusted")).to_be_hidden()


def is_grey(screenshot: bytes) -> bool:
    """Whether red, green and blue of the middle of a picture are equal."""
    with Image.open(BytesIO(screenshot)) as shown:
        middle = shown.convert("RGB").getpixel((shown.width // 2, shown.height // 2))
    return isinstance(middle, tuple) and max(middle) - min(middle) <= 2


def test_the_ruler_suggests_two_points_that_can_be_moved(visit: Visit, followed_exam: Exam, reviewer: User) -> None:
    page = visit(f"/exams/{followed_exam.pk}/review/", reviewer)
    now = page.get_by_role("region", name="Right eye", exact=True)
    page.locator("[data-viewer-show][data-previous][data-laterality=OD]").click()  # a synthetic retina
    expect(now.locator("[data-viewer-photo]")).to_have_attribute("alt", re.compile("photograph of "))
    page.keyboard.press("c")
    distance = now.locator("[data-viewer-distance]")
    expect(distance).to_contain_text("Suggested from the picture")
    optic_disc = now.get_by_role("button", name="Optic disc")
    fovea = now.get_by_role("button", name="Fovea")
    (optic_disc_x, _), (fovea_x, fovea_y) = middle(optic_disc), middle(fovea)
    assert optic_disc_x > fovea_x  # of a right eye
    page.mouse.move(fovea_x + 12, fovea_y)
    expect(distance).to_contain_text("within one disc diameter")
    page.mouse.move(optic_disc_x, fovea_y)
    expect(distance).not_to_contain_text("within")
    fovea.focus()
    page.keyboard.press("ArrowLeft")
    wait_until(page, lambda: middle(fovea)[0] < fovea_x)
    page.keyboard.press("c")
    expect(distance).to_be_hidden()


def test_moved_points_are_kept_with_the_reading(visit: Visit, followed_exam: Exam, site: Site, reviewer: User) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    page = visit(f"/exams/{followed_exam.pk}/review/", reviewer)
    now = page.get_by_role("region", name="Right eye", exact=True)
    optic_disc = now.get_by_role("button", name="Optic disc")
    fovea, edge = now.get_by_role("button", name="Fovea"), now.get_by_role("button", name="Edge of the disc")
    page.keyboard.press("c")
    expect(now.get_by_text("Disc and fovea were not found")).to_be_visible()  # the photograph is noise
    x, y = middle(fovea)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 20)
    with page.expect_response("**/draft/"):
        page.mouse.up()
    wait_until(page, lambda: middle(fovea) == pytest.approx((x + 30, y + 20), abs=1))
    _, edge_y = middle(edge)
    edge.focus()
    with page.expect_response("**/draft/"):
        page.keyboard.press("ArrowUp")
    wait_until(page, lambda: middle(edge)[1] < edge_y)
    handles = (optic_disc, fovea, edge)
    positions = [middle(handle) for handle in handles]

    page.reload()
    page.keyboard.press("c")
    expect(now.get_by_text("Disc to fovea:")).to_be_visible()
    wait_until(page, lambda: are_at(handles, positions))
    for key in ("0", "m", "ArrowRight", "0", "m", "s", "s"):
        page.keyboard.press(key)
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(2)
    stored = FirstReading.objects.get(laterality="OD").landmarks
    assert list(stored) == [str(followed_exam.images.get(laterality="OD").pk)]
    wait_until(page, lambda: are_at(handles, positions))


def are_at(handles: Sequence[Locator], positions: Sequence[tuple[float, float]]) -> bool:
    return all(middle(handle) == pytest.approx(at, abs=1) for handle, at in zip(handles, positions, strict=True))


def middle(handle: Locator) -> tuple[float, float]:
    box: Any = handle.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
