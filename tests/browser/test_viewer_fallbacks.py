"""The viewer without WebGL, or with canvas blocked: each adjustment works or is stated to be missing."""

import pytest
from playwright.sync_api import expect

from screening.models import Exam, FirstReading, Site, User
from tests.browser.conftest import Visit
from tests.browser.test_viewer import is_grey

pytestmark = pytest.mark.browser

BLOCK = """
for (const Canvas of [HTMLCanvasElement, OffscreenCanvas]) {
  const own = Canvas.prototype.getContext;
  Canvas.prototype.getContext = function (kind, ...more) { return (%s) ? null : own.call(this, kind, ...more); };
}
"""
WITHOUT_WEBGL = BLOCK % "kind.startsWith('webgl')"
WITHOUT_CANVAS = BLOCK % "true"
WITH_NOISE = """
for (const Context of [CanvasRenderingContext2D, OffscreenCanvasRenderingContext2D]) {
  const own = Context.prototype.getImageData;
  Context.prototype.getImageData = function (...box) {
    const read = own.apply(this, box);
    for (let i = 0; i < read.data.length; i += 1) read.data[i] ^= 1;
    return read;
  };
}
"""
"""What a protection against fingerprinting does: the pixels that are read are not those that were drawn."""


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (WITHOUT_WEBGL, "This computer draws without WebGL 2"),
        (WITHOUT_CANVAS, "This browser lets no page read pictures"),
        (WITH_NOISE, "This browser lets no page read pictures"),
    ],
    ids=["no WebGL", "no canvas", "noise"],
)
def test_an_exam_is_read_without(
    script: str, sentence: str, visit: Visit, graded_exam: Exam, site: Site, reviewer: User
) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    page = visit("/", reviewer)
    page.add_init_script(script)
    page.goto(f"/exams/{graded_exam.pk}/review/")
    window, press = page.locator("[data-viewer-window]").first, page.keyboard.press
    assert not is_grey(window.screenshot())
    press("g")
    expect(page.get_by_text("View adjusted")).to_be_visible()
    if script == WITHOUT_WEBGL:
        expect(window.locator("[data-viewer-canvas]")).to_be_visible()
        expect(window.locator("[data-viewer-canvas]")).to_have_attribute("width", "480")  # it is painted
    assert is_grey(window.screenshot())
    page.locator("summary", has_text="Adjust").click()
    expect(page.get_by_text(sentence)).to_be_visible()
    press("Escape")
    press("r")
    press("+")
    assert not is_grey(window.screenshot())
    press("c")
    expect(window.get_by_text("Disc and fovea were not found")).to_be_visible()
    for key in ("0", "m", "ArrowRight", "0", "m", "s", "s"):
        press(key)
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(2)
    assert FirstReading.objects.count() == 2
    page.keyboard.down("h")
    note = window.locator("[data-viewer-heat-note]")
    if script == WITHOUT_CANVAS:
        expect(note).to_contain_text("The heatmap cannot be drawn")
    else:
        expect(window.locator("[data-viewer-heat]")).to_be_visible()
    page.keyboard.up("h")


WITH_GL_THAT_CAN_BE_LOST = """
const own = WebGL2RenderingContext.prototype.getExtension;
WebGL2RenderingContext.prototype.getExtension = function (name) {
  return name === "WEBGL_lose_context" ? own.call(this, name) : null;
};
"""


def test_the_processor_goes_on_if_the_graphics_card_is_lost(visit: Visit, graded_exam: Exam, reviewer: User) -> None:
    page = visit("/", reviewer)
    page.add_init_script(WITH_GL_THAT_CAN_BE_LOST)
    page.goto(f"/exams/{graded_exam.pk}/review/")
    canvas = page.locator("[data-viewer-canvas]").first
    page.keyboard.press("g")
    expect(canvas).to_be_visible()
    expect(canvas).not_to_have_class("is-copy")
    canvas.evaluate("canvas => canvas.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext()")
    expect(canvas).to_have_class("is-copy")
    expect(canvas).to_have_attribute("width", "480")  # it is painted
    assert is_grey(page.locator("[data-viewer-window]").first.screenshot())
