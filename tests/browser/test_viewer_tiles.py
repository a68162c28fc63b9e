"""Tiles of a large photograph: only those in view, of the resolution that the zoom needs."""

import re
from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from ml.serving.files.tiles import TILE_PX
from screening.models import AuditEvent, Exam, Site, User
from tests.browser.conftest import Visit, wait_until
from tests.browser.test_viewer import WITH_SOFTWARE_GL
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory

pytestmark = pytest.mark.browser

WIDTH_PX, HEIGHT_PX = 4000, 3000
N_TILES = -(-WIDTH_PX // TILE_PX) * -(-HEIGHT_PX // TILE_PX)
TILE = re.compile(r"/tiles/(\d)/\d+/\d+/$")


@pytest.fixture
def large_exam(site: Site, photographer: User, shared_database: str) -> Exam:
    """A right eye of 12 megapixels: lines of one pixel, which a smaller copy shows as one colour."""
    lines = Image.new("RGB", (2, 1), (200, 90, 60))
    lines.putpixel((0, 0), (100, 30, 20))
    row = Image.new("RGB", (WIDTH_PX, 1))
    for x in range(0, WIDTH_PX, 2):
        row.paste(lines, (x, 0))
    data = BytesIO()
    row.resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.NEAREST).save(data, "JPEG", quality=95, subsampling=0)
    exam = ExamFactory(patient__site=site, opened_by=photographer, is_submitted=True)
    file = ContentFile(data.getvalue(), name="photo.jpg")
    image = FundusImageFactory(exam=exam, laterality="OD", file=file, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    GradingFactory(image=image, is_done=True, grade=0)
    return exam


def tiles_of(page: Page) -> list[str]:
    """The levels of the tiles that the page requests from now on."""
    levels: list[str] = []
    page.on("request", lambda request: levels.extend(TILE.findall(request.url)))
    return levels


def has_lines(window: Locator) -> bool:
    """Whether there are dark and bright columns at the middle of a pane."""
    with Image.open(BytesIO(window.screenshot())) as shown:
        x, y = shown.width // 2, shown.height // 2
        extrema: Any = shown.convert("L").crop((x, y, x + 20, y + 1)).getextrema()
    return bool(extrema[1] - extrema[0] > 40)


@pytest.mark.parametrize("adjustment", ["colour", "inverted"])
def test_only_the_tiles_in_view_are_loaded(adjustment: str, visit: Visit, large_exam: Exam, reviewer: User) -> None:
    page = visit("/", reviewer)
    if adjustment == "inverted":
        page.add_init_script(WITH_SOFTWARE_GL)
    levels = tiles_of(page)
    page.goto(f"/exams/{large_exam.pk}/review/")
    window = page.locator("[data-viewer-window]").first
    expect(window.locator("[data-viewer-photo]")).to_be_visible()
    if adjustment == "inverted":
        page.keyboard.press("i")
    assert not has_lines(window)
    for key in ("z", "+", "+", "+"):  # at 2:1, lines are wider than what is lost between the pixels of the screen
        page.keyboard.press(key)
    loaded = window.locator(".pane-tiles img")
    expect(loaded.nth(3)).to_be_attached()
    page.wait_for_load_state("networkidle")
    wait_until(page, lambda: has_lines(window))
    assert set(levels) == {"0"}
    n_first = len(levels)
    assert n_first < N_TILES / 2
    for _ in range(16):
        window.press("ArrowLeft")
    expect(loaded.nth(n_first)).to_be_attached()
    page.wait_for_load_state("networkidle")
    assert len(levels) < N_TILES
    wait_until(page, lambda: has_lines(window))
    assert AuditEvent.objects.filter(verb=AuditEvent.Verb.IMAGE_VIEWED).count() == 2  # the small copy, the tiles


def test_a_lower_resolution_is_enough_for_a_lower_zoom(visit: Visit, large_exam: Exam, reviewer: User) -> None:
    page = visit("/", reviewer)
    levels = tiles_of(page)
    page.goto(f"/exams/{large_exam.pk}/review/")
    window = page.locator("[data-viewer-window]").first
    expect(window.locator("[data-viewer-photo]")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert levels == []
    for _ in range(6):
        page.keyboard.press("+")
    expect(window.locator(".pane-tiles img").nth(1)).to_be_attached()
    assert set(levels) == {"1"}
    page.keyboard.press("f")
    expect(window.locator(".pane-tiles")).to_be_hidden()


def test_a_tile_that_fails_is_stated_and_requested_again(
    visit: Visit, large_exam: Exam, reviewer: User, problems: list[str]
) -> None:
    page = visit(f"/exams/{large_exam.pk}/review/", reviewer)
    window = page.locator("[data-viewer-window]").first
    page.route("**/tiles/**", lambda route: route.fulfill(status=404))
    page.keyboard.press("z")
    problem = window.get_by_text("The full resolution could not be loaded")
    expect(problem).to_be_visible()
    page.unroute("**/tiles/**")
    expect(problem).to_be_hidden()
    expect(window.locator(".pane-tiles img").first).to_be_attached()
    assert all("404" in one for one in problems)
    problems.clear()
