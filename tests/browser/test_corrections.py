"""Eyes without a photograph, exams that are returned, moved or retracted, merged records."""

import pytest
from playwright.sync_api import expect

from screening.models import Exam, FundusImage, Review, User
from tests.browser.conftest import Visit
from tests.screening.factories import PatientFactory

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
    desk.locator("#return-exam > summary").click()
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


def test_an_exam_of_the_wrong_patient_is_moved_and_its_result_retracted(
    visit: Visit, graded_exam: Exam, reviewer: User
) -> None:
    right = PatientFactory(site=graded_exam.site, mrn="RIGHT-2", family_name="Lovelace")
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    for key in ("3", "m", "ArrowRight", "2", "m"):
        page.keyboard.press(key)
    expect(page.locator("#outcome-preview")).to_contain_text("If you sign this")
    page.get_by_role("button", name="Sign", exact=False).first.click()
    expect(page.get_by_role("region", name="Signed review")).to_contain_text("Signed by")

    page.goto(f"/exams/{graded_exam.pk}/")
    page.get_by_text("Wrong patient or wrong result").click()
    page.get_by_role("link", name="Move this exam to another patient").click()
    page.get_by_label("Medical record number of the right patient").fill("RIGHT-2")
    page.get_by_label("Reason").fill("Two lists were mixed up")
    page.get_by_role("button", name="Next: check both patients").click()
    expect(page.get_by_role("region", name="To: Lovelace, Ada")).to_be_visible()
    expect(page.get_by_role("region", name="From: Byron, Ada")).to_be_visible()
    page.get_by_role("button", name="Move the exam to this patient").click()
    expect(page.get_by_text("The exam is moved.")).to_be_visible()
    expect(page.get_by_text("Does not count")).to_be_visible()
    struck = page.locator("del").filter(has_text="Signed by")
    expect(struck).to_have_css("text-decoration-line", "line-through")
    graded_exam.refresh_from_db()
    assert (graded_exam.patient, graded_exam.status) == (right, Exam.Status.SUBMITTED)

    page.goto(f"/exams/{graded_exam.pk}/review/")
    for key in ("3", "m", "ArrowRight", "2", "m"):
        page.keyboard.press(key)
    expect(page.locator("#outcome-preview")).to_contain_text("If you sign this")
    page.get_by_role("button", name="Sign", exact=False).first.click()
    expect(page.get_by_role("region", name="Signed review")).to_contain_text("Signed by")
    page.goto(f"/exams/{graded_exam.pk}/")
    page.get_by_text("Wrong patient or wrong result").click()
    page.get_by_role("link", name="Mark the result as entered in error").click()
    page.get_by_label("Reason").fill("Signed by mistake")
    page.get_by_role("button", name="Mark as entered in error").click()
    expect(page.get_by_text("The result does not count any more.")).to_be_visible()
    page.goto(f"/patients/{right.pk}/")
    expect(page.get_by_text("due now: there is no valid result.")).to_be_visible()
    expect(page.get_by_text("Signed by mistake").first).to_be_visible()
    assert Review.objects.count() == 2


def test_records_of_one_person_are_merged_and_parted(visit: Visit, graded_exam: Exam, manager: User) -> None:
    twice = PatientFactory(site=graded_exam.site, mrn="TWICE-2", family_name="Byron")
    page = visit(f"/patients/{graded_exam.patient_id}/", manager)
    page.get_by_role("link", name="Merge with another record").click()
    page.get_by_label("Medical record number of the right patient").fill("TWICE-2")
    page.get_by_label("Reason").fill("Registered twice")
    page.get_by_role("button", name="Next: check both patients").click()
    page.get_by_role("button", name="Merge into this record").click()
    expect(page.get_by_text("This record was merged into another one")).to_be_visible()
    assert Exam.objects.get().patient == twice
    page.get_by_role("link", name="Part them again").click()
    page.get_by_label("Reason").fill("Two people")
    page.get_by_role("button", name="Part the records").click()
    expect(page.get_by_text("The records are parted.")).to_be_visible()
    assert Exam.objects.get().patient == graded_exam.patient
