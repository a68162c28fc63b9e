"""Linked movement in the viewer: mirrored between the eyes, by disc and fovea between two visits."""

import math
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page, expect

from screening.models import Exam, Site, User
from tests.browser.conftest import Visit, synthetic_photo, wait_until
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory

pytestmark = pytest.mark.browser

SIDE_PX = 900
ANGLE_DEG, RATIO, SHIFT_PX = 10.0, 0.92, (24.0, -16.0)
"""How the camera was held and set at the visit before."""
TOLERANCE_DD = 0.3
"""Disc diameters: the suggestions are that exact."""
Point = tuple[float, float]


def before_of(point: Point) -> Point:
    """Where a point of this visit's photograph is on the one before."""
    middle, angle = SIDE_PX / 2, math.radians(ANGLE_DEG)
    x, y = point[0] - middle, point[1] - middle
    return (
        middle + RATIO * (math.cos(angle) * x - math.sin(angle) * y) + SHIFT_PX[0],
        middle + RATIO * (math.sin(angle) * x + math.cos(angle) * y) + SHIFT_PX[1],
    )


def now_and_before(eye: str) -> tuple[bytes, bytes]:
    """Two JPEG files of the same synthetic retina."""
    with Image.open(BytesIO(synthetic_photo(0, eye))) as photo:
        side = min(photo.size)
        left, top = (photo.width - side) // 2, (photo.height - side) // 2
        now = photo.crop((left, top, left + side, top + side)).resize((SIDE_PX, SIDE_PX))
    middle, angle = SIDE_PX / 2, math.radians(ANGLE_DEG)
    cos, sin = math.cos(angle) / RATIO, math.sin(angle) / RATIO
    x, y = middle + SHIFT_PX[0], middle + SHIFT_PX[1]
    inverse = (cos, sin, middle - cos * x - sin * y, -sin, cos, middle + sin * x - cos * y)
    before = now.transform(now.size, Image.Transform.AFFINE, inverse, Image.Resampling.BICUBIC)
    return jpeg(now), jpeg(before)


def jpeg(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=92)
    return out.getvalue()


MakeVisits = Callable[[bytes, bytes], Exam]


@pytest.fixture
def make_visits(site: Site, photographer: User, shared_database: str) -> MakeVisits:
    """Makes an exam with a right eye, and one a year before, from two JPEG files."""

    def make(now: bytes, before: bytes) -> Exam:
        exam = ExamFactory(patient__site=site, opened_by=photographer, is_submitted=True)
        earlier = ExamFactory(patient=exam.patient, opened_by=photographer, is_submitted=True)
        Exam.objects.filter(pk=earlier.pk).update(created_at=timezone.now() - timedelta(days=365))
        for one, data in ((exam, now), (earlier, before)):
            file = ContentFile(data, name="photo.jpg")
            image = FundusImageFactory(exam=one, laterality="OD", file=file, width_px=SIDE_PX, height_px=SIDE_PX)
            GradingFactory(image=image, is_done=True, grade=0)
        return exam

    return make


def points_at(page: Page, point: Point) -> tuple[Point, Point, float]:
    """The points of both photographs at a point of their panes (fractions), and the diameter of the disc, pixels."""
    now, before, diameter = page.evaluate(
        """([x, y]) => {
            const [now, before] = window.viewer.panes;
            const at = (pane) => pane.toPhoto([x * pane.window.clientWidth, y * pane.window.clientHeight]);
            return [at(now), at(before), window.viewerLandmarks.marksOf(now).disc.diameter];
        }""",
        point,
    )
    return now, before, diameter


def zoom_of(page: Page) -> float:
    return float(page.evaluate("window.viewer.panes[0].zoom"))


def is_same_point(page: Page) -> bool:
    """Whether both photographs show the same points of the retina at three points of their panes."""
    shown = [points_at(page, point) for point in ((0.5, 0.5), (0.15, 0.7), (0.85, 0.3))]
    return all(math.dist(before_of(now), before) < TOLERANCE_DD * diameter for now, before, diameter in shown)


def test_two_visits_show_the_same_place_of_the_retina(visit: Visit, make_visits: MakeVisits, reviewer: User) -> None:
    exam = make_visits(*now_and_before("OD"))
    page = visit(f"/exams/{exam.pk}/review/", reviewer)
    page.keyboard.press("v")
    before = page.get_by_role("region", name="Right eye, second photograph")
    expect(before.get_by_text("Moves together by disc and fovea")).to_be_visible()
    wait_until(page, lambda: is_same_point(page))
    window: Any = page.locator("[data-viewer-window]").first.bounding_box()
    page.mouse.move(window["x"] + 0.6 * window["width"], window["y"] + 0.4 * window["height"])
    for _ in range(4):
        page.mouse.wheel(0, -120)
    window = before.locator("[data-viewer-window]").bounding_box()
    page.mouse.move(window["x"] + 200, window["y"] + 200)
    page.mouse.down()  # the second photograph moves the first one too
    page.mouse.move(window["x"] + 230, window["y"] + 150)
    page.mouse.up()
    wait_until(page, lambda: zoom_of(page) > 2 and is_same_point(page))
    first_point = points_at(page, (0.5, 0.5))[1]

    page.keyboard.press("c")
    page.keyboard.press("f")
    before.get_by_role("button", name="Fovea").focus()
    for _ in range(8):
        page.keyboard.press("ArrowDown")
    wait_until(page, lambda: math.dist(points_at(page, (0.5, 0.5))[1], first_point) > 5)
    page.locator("summary", has_text="More tools").click()
    page.get_by_role("button", name="Move together").click()
    expect(before.get_by_text("Moves together")).to_be_hidden()


def test_photographs_without_landmarks_are_linked_by_the_field_of_view(
    visit: Visit, make_visits: MakeVisits, reviewer: User
) -> None:
    grey = jpeg(Image.new("RGB", (SIDE_PX, SIDE_PX), (90, 60, 40)))
    exam = make_visits(grey, grey)
    page = visit(f"/exams/{exam.pk}/review/", reviewer)
    page.keyboard.press("v")
    before = page.get_by_role("region", name="Right eye, second photograph")
    expect(before.get_by_text("by the field of view: disc and fovea were not found")).to_be_visible()
    page.keyboard.press("+")
    wait_until(page, lambda: zoom_of(page) > 1)
    wait_until(page, lambda: math.dist(*points_at(page, (0.2, 0.3))[:2]) < 1)


def test_movement_is_mirrored_between_the_eyes(visit: Visit, graded_exam: Exam, reviewer: User) -> None:
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    right = page.locator("[data-viewer-window]").first
    right.focus()
    for key in ("+", "+", "+", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    centres = "window.viewer.panes.slice(0, 2).map((pane) => [pane.centre[0] - 0.5, pane.centre[1] - 0.5])"
    (right_x, right_y), (left_x, left_y) = page.evaluate(centres)
    assert right_x < -0.01
    assert left_x == pytest.approx(-right_x, abs=0.01)
    assert right_y == pytest.approx(left_y, abs=0.01)
    assert right_y < -0.01
