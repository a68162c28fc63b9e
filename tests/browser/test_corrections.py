"""Eyes without a photograph, exams that are returned or taken back."""

import pytest
from playwright.sync_api import expect

from screening.models import Exam, FundusImage, Review, User
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


def test_an_eye_without_a_photograph_is_signed_as_not_photographed(
    visit: Visit, graded_exam: Exam, reviewer: User
) -> None:
    FundusImage.objects.filter(exam=graded_exam, laterality="OS").update(
        withdrawn_at=graded_exam.created_at, withdrawn_code="wrong_patient"
    )
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    left = page.locator('[data-eye-form="OS"]')
    expect(left.get_by_role("radio")).to_have_count(2)
    for key in ("0", "m", "ArrowRight", "0", "u"):
        page.keyboard.press(key)
    expect(page.locator('input[name="OS-verdict"]:checked')).to_have_count(0)
    reason = page.get_by_label("Why is the eye absent?")
    expect(reason).to_be_hidden()
    left.get_by_label("The eye is absent").check()
    expect(reason).to_be_visible()
    left.get_by_label("Not photographed").check()
    expect(reason).to_be_hidden()
    expect(page.locator("#outcome-preview")).to_contain_text("Take the photographs again")
    page.get_by_role("button", name="Sign", exact=False).first.click()
    signed = page.get_by_role("region", name="Signed review")
    expect(signed).to_contain_text("Not photographed")
    assert Review.objects.get().outcome == "repeat_imaging"


def test_an_exam_is_returned_corrected_and_taken_back(
    visit: Visit, graded_exam: Exam, photographer: User, reviewer: User
) -> None:
    desk = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    desk.get_by_text("Return to the photographer").click()
    desk.get_by_label("What has to be done?").fill("Left eye out of focus")
    desk.get_by_role("button", name="Return this exam").click()
    expect(desk.get_by_text("It is at the top of the photographer's list")).to_be_visible()

    page = visit("/", photographer)
    row = page.get_by_role("row").filter(has_text="Left eye out of focus")
    row.get_by_role("link", name="Open").click()
    expect(page.get_by_text("Returned to the photographer: Left eye out of focus")).to_be_visible()
    page.get_by_role("button", name="Submit for review").click()
    page.get_by_role("button", name="Take it back to change it").click()
    expect(page.get_by_text("The exam is open again.")).to_be_visible()
    graded_exam.refresh_from_db()
    assert (graded_exam.status, graded_exam.reading_round) == (Exam.Status.OPEN, 1)
