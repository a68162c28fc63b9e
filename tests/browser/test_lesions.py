"""Lesions on the review page: the grade follows, a contradiction needs a reason, the English scale by keyboard."""

import pytest
from playwright.sync_api import expect

from screening.models import Exam, EyeFinding, Review, Site, User
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


def test_a_grade_follows_from_lesions_and_a_contradiction_needs_a_reason(
    visit: Visit, graded_exam: Exam, site: Site, reviewer: User
) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.SIDE_BY_SIDE)
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    press, right = page.keyboard.press, page.locator("[data-eye-form=OD]")
    press("d")
    expect(right.get_by_label("Microaneurysms", exact=True)).to_be_focused()
    right.get_by_label("Quadrants with definite venous beading").select_option("2")
    expect(right.locator("input[name=OD-verdict]:checked")).to_have_value("3")
    right.get_by_label("New vessels at the disc").check()
    expect(right.locator("input[name=OD-verdict]:checked")).to_have_value("4")
    expect(right.locator("[data-lesion-result]")).to_contain_text("Proliferative")

    reason = right.get_by_label("Your answer is not the one that follows from the lesions. Why?")
    expect(reason).to_be_hidden()
    right.locator("[data-key='2']").click()
    expect(reason).to_be_visible()
    reason.fill("The vessels are collaterals")
    right.locator("input[name=OD-macular_oedema][value=none]").check()
    page.locator("legend").first.click()
    for key in ("ArrowRight", "0", "m", "s", "s"):
        press(key)
    expect(page.get_by_role("region", name="Signed review")).to_contain_text("The vessels are collaterals")
    found = EyeFinding.objects.get(laterality="OD")
    assert (found.grade, found.lesions) == (2, {"new_vessels_disc": 1, "venous_beading_quadrants": 2})


def test_a_healthy_exam_in_england_takes_nine_keys(visit: Visit, graded_exam: Exam, site: Site, reviewer: User) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST, scale="england")
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    for key in ("0", "m", "ArrowRight", "0", "m", "s", "s"):
        page.keyboard.press(key)
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(2)
    for key in ("s", "s"):
        page.keyboard.press(key)
    expect(page.get_by_role("region", name="Signed review")).to_contain_text("R0 M0 P0")
    assert (Review.objects.get().scale, set(EyeFinding.objects.values_list("retinopathy", flat=True))) == (
        "england",
        {"R0"},
    )


def test_photocoagulation_is_graded_apart_with_a_key(
    visit: Visit, graded_exam: Exam, site: Site, reviewer: User
) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.SIDE_BY_SIDE, scale="england")
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    right = page.locator("[data-eye-form=OD]")
    expect(right.get_by_role("radio", name="P0")).to_be_checked()
    for key in ("0", "m", "l"):
        page.keyboard.press(key)
    expect(right.get_by_role("radio", name="P1")).to_be_checked()
    expect(right.locator("input[name=OD-verdict]:checked")).to_have_value("R0")
    for key in ("ArrowRight", "0", "m"):
        page.keyboard.press(key)
    expect(page.locator("#outcome-preview")).to_contain_text("R0 M0 P1")
    for key in ("s", "s"):
        page.keyboard.press(key)
    expect(page.get_by_role("region", name="Signed review")).to_contain_text("R0 M0 P1")
