"""Uploads on the exam page."""

from io import BytesIO

import pytest
from playwright.sync_api import expect

from screening.models import Exam, FundusImage, User
from tests.browser.conftest import Visit, choose_photos, synthetic_photo
from tests.builders import photo_bytes
from tests.cases.composites import eye, with_text

pytestmark = pytest.mark.browser


def test_a_refused_file_does_not_affect_the_others(visit: Visit, open_exam: Exam, photographer: User) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    letter = b"Dear colleague, thank you for referring"
    photos = {"eye_OD.jpg": photo_bytes(seed=1), "eye_OS.jpg": photo_bytes(seed=2)}
    rows = choose_photos(page, {"letter_OD.jpg": letter, **photos})
    refused = rows.filter(has_text="letter_OD.jpg")
    expect(refused.get_by_role("alert")).to_contain_text("This file is not a photograph")
    page.get_by_role("button", name="Confirm all 2").click()
    expect(rows).to_have_count(1)
    expect(page.locator("#eyes").get_by_role("article")).to_have_count(2)
    refused.get_by_role("button", name="Remove").click()
    expect(rows).to_have_count(0)
    assert sorted(FundusImage.objects.values_list("laterality", flat=True)) == ["OD", "OS"]


def test_a_blurred_photograph_has_advice(visit: Visit, worker: None, open_exam: Exam, photographer: User) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    rows = choose_photos(page, {"eye_OD.jpg": synthetic_photo(1, "OD", blur_px=80.0)})
    rows.get_by_role("button", name="Confirm").click()
    eye = page.get_by_role("region", name="Right eye")
    expect(eye.get_by_text("Not gradable", exact=True)).to_be_visible()
    expect(eye).to_contain_text("The photograph is out of focus.")
    expect(eye).to_contain_text("Refocus on the vessels")
    expect(page.locator("#exam-live")).to_contain_text("Right eye: not gradable.")


def test_a_dropped_photograph_waits_for_the_eye(visit: Visit, open_exam: Exam, photographer: User) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    dropped = page.evaluate_handle(
        """bytes => {
            const dropped = new DataTransfer();
            dropped.items.add(new File([new Uint8Array(bytes)], "left-eye.jpg", {type: "image/jpeg"}));
            return dropped;
        }""",
        list(photo_bytes()),
    )
    page.locator("[data-upload-drop]").dispatch_event("drop", {"dataTransfer": dropped})
    row = page.get_by_role("list", name="Photographs to upload").get_by_role("listitem")
    expect(row.get_by_text("Suggested by the file name.")).to_be_visible()
    assert not FundusImage.objects.exists()
    row.get_by_label("Right eye (OD)").check()
    row.get_by_role("button", name="Confirm: right eye (OD)").click()
    expect(row).to_have_count(0)
    assert FundusImage.objects.get().laterality == "OD"


def test_writing_is_blanked_or_kept_by_a_person(
    visit: Visit, open_exam: Exam, photographer: User, problems: list[str]
) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    written = BytesIO()
    with_text(eye(1), ((4, 4), "BYRON Ada")).save(written, "JPEG", quality=92)
    rows = choose_photos(page, {"eye_OD.jpg": written.getvalue()})
    rows.get_by_role("button", name="Confirm").click()
    expect(rows.get_by_role("alert").filter(has_text="It may name the patient.")).to_be_visible()
    expect(rows.get_by_role("button", name="Blank it and add it")).to_be_focused()
    assert not FundusImage.objects.exists()
    rows.get_by_role("button", name="Blank it and add it").click()
    expect(rows).to_have_count(0)
    expect(page.locator("#eyes")).to_contain_text("Writing outside the retina was blanked.")
    assert FundusImage.objects.get().writing == FundusImage.Writing.BLANKED
    assert [problem for problem in problems if "status of 409" not in problem] == []
    problems.clear()
