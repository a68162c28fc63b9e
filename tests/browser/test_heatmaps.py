"""The heatmaps of the grade and of macular oedema: by key and button, each with a text."""

import pytest
from playwright.sync_api import Page, expect

from screening.models import Exam, Grading, User
from tests.browser.conftest import Visit
from tests.screening.eye_states import replace_oedema

pytestmark = pytest.mark.browser

GRADE = "Heatmap of the grade: strongest at the lower left, 100 % of the scale."
OEDEMA = "Heatmap of macular oedema: strongest at the upper right, 100 % of the scale."
NONE = "No heatmap of macular oedema for this photograph"


@pytest.fixture
def suspected_exam(graded_exam: Exam) -> Exam:
    """Macular oedema is suspected in the right eye."""
    replace_oedema(Grading.objects.filter(image__exam=graded_exam, image__laterality="OD"), 0.9)
    return graded_exam


def colours(page: Page) -> str:
    """The picture of the heatmap of the right eye."""
    return str(page.locator("[data-viewer-heat] canvas").first.evaluate("canvas => canvas.toDataURL()"))


def test_a_key_and_buttons_choose_the_layer(visit: Visit, suspected_exam: Exam, reviewer: User) -> None:
    page = visit(f"/exams/{suspected_exam.pk}/review/", reviewer)
    right, left = (page.locator("[data-viewer-heat-note]").nth(n) for n in (0, 1))
    expect(right).to_be_hidden()
    page.get_by_role("button", name="Heatmap", exact=True).click()
    expect(right).to_have_text(GRADE)
    of_grade = colours(page)

    page.keyboard.press("o")
    expect(right).to_have_text(OEDEMA)
    expect(left).to_have_text(NONE)
    assert colours(page) != of_grade
    page.locator("summary", has_text="Heatmap: layer, opacity").click()
    layers = page.get_by_role("group", name="Heatmap", exact=True).last
    expect(layers.get_by_role("button", name="Macular oedema")).to_have_attribute("aria-pressed", "true")
    layers.get_by_role("button", name="Grade").press("Enter")
    expect(right).to_have_text(GRADE)
    assert colours(page) == of_grade


def test_the_key_does_nothing_without_a_second_layer(visit: Visit, graded_exam: Exam, reviewer: User) -> None:
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    page.keyboard.press("o")
    expect(page.locator("[data-viewer-heat-note]").first).to_be_hidden()
    page.keyboard.down("h")
    expect(page.locator("[data-viewer-heat-note]").first).to_have_text(GRADE)


def test_a_suspicion_without_a_grade_is_shown_first(visit: Visit, suspected_exam: Exam, reviewer: User) -> None:
    Grading.objects.filter(image__exam=suspected_exam).update(grade=0)  # grade 0 has no heatmap
    page = visit(f"/exams/{suspected_exam.pk}/review/", reviewer)
    page.get_by_role("button", name="Heatmap", exact=True).click()
    expect(page.locator("[data-viewer-heat-note]").first).to_have_text(OEDEMA)


def test_the_exam_page_shows_one_layer_at_a_time(visit: Visit, suspected_exam: Exam, reviewer: User) -> None:
    page = visit(f"/exams/{suspected_exam.pk}/", reviewer)
    grade = page.get_by_role("button", name="Heatmap", exact=True).first
    oedema = page.get_by_role("button", name="Heatmap of macular oedema")
    grade.click()
    expect(page.get_by_text(GRADE)).to_be_visible()
    oedema.click()
    expect(page.get_by_text(OEDEMA)).to_be_visible()
    expect(grade).to_have_attribute("aria-pressed", "false")
    oedema.click()
    expect(page.get_by_text(OEDEMA)).to_be_hidden()
