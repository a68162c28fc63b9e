"""The same picture again, on the exam page: nothing is lost while its question is open."""

import pytest
from playwright.sync_api import expect

from screening.models import Exam, FundusImage, User
from tests.browser.conftest import PHONE, Visit, choose_photos
from tests.copies import SAME_PICTURE, eye_file, synthetic_photo
from tests.screening.factories import ExamFactory

pytestmark = pytest.mark.browser


def forget_refusals(problems: list[str]) -> None:
    """Chromium reports each response of 409."""
    assert [problem for problem in problems if "status of 409" not in problem] == []
    problems.clear()


def test_one_picture_cannot_be_both_eyes(
    visit: Visit, open_exam: Exam, photographer: User, problems: list[str]
) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    rows = choose_photos(page, {"a_OD.jpg": eye_file(), "b_OS.jpg": SAME_PICTURE["mirrored"](synthetic_photo())})
    rows.filter(has_text="a_OD.jpg").get_by_role("button", name="Confirm").click()
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name="Confirm").click()
    expect(rows.get_by_role("alert").filter(has_text="already in this exam as the right eye")).to_be_visible()
    assert [image.laterality for image in FundusImage.objects.all()] == ["OD"]
    rows.get_by_label("Right eye (OD)").check()
    rows.get_by_role("button", name="Confirm: right eye (OD)").click()
    expect(rows).to_have_count(0)
    forget_refusals(problems)


def test_a_picture_of_another_patient_is_confirmed_with_a_reason(
    visit: Visit, open_exam: Exam, photographer: User, problems: list[str]
) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    rows = choose_photos(page, {"a_OD.jpg": eye_file()})
    rows.get_by_role("button", name="Confirm").click()
    expect(rows).to_have_count(0)
    other = ExamFactory(patient__site=open_exam.site, opened_by=photographer)
    page = visit(f"/exams/{other.pk}/", photographer, size=PHONE)
    rows = choose_photos(page, {"again_OD.jpg": SAME_PICTURE["half the size"](synthetic_photo())})
    page.get_by_text("Not taken today").click()
    page.locator("[data-tray=captured-on]").fill("2001-02-03")
    rows.get_by_role("button", name="Confirm").click()
    expect(rows.get_by_role("alert").filter(has_text="more than a year ago")).to_be_visible()
    expect(rows.get_by_label("Taken on")).to_be_focused()
    rows.get_by_role("button", name="The date is right: add it").press("Enter")
    expect(rows.get_by_role("alert").filter(has_text="in the exam of another patient")).to_be_visible()
    reason = rows.get_by_label("Why is this photograph in the exams of two patients?")
    expect(reason).to_be_focused()
    expect(rows.get_by_role("link", name="Open that exam in a new tab")).to_have_attribute(
        "href", f"/exams/{open_exam.pk}/"
    )
    upload = rows.get_by_role("button", name="It shows this patient: add it")
    upload.click()
    expect(rows.get_by_role("alert").filter(has_text="Enter the reason.")).to_be_visible()
    assert not other.images.exists()
    reason.fill("Registered twice")
    upload.click()
    expect(rows).to_have_count(0)
    expect(page.locator("#eyes")).to_contain_text("Registered twice")
    image = other.images.get()
    assert (image.copy_reason, str(image.captured_on), image.laterality) == ("Registered twice", "2001-02-03", "OD")
    forget_refusals(problems)
