"""At the camera: a file that is no photograph harms no other, and a poor photograph is answered at once."""

import pytest
from playwright.sync_api import Locator, Page, expect

from screening.models import Exam, FundusImage, Site, User
from tests.browser.conftest import Visit, chosen_file, drawn_photo
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory

pytestmark = pytest.mark.browser


@pytest.fixture
def exam(site: Site, photographer: User, shared_database: str) -> Exam:
    return ExamFactory(patient__site=site, opened_by=photographer)


def rows_of(page: Page) -> Locator:
    return page.get_by_role("list", name="Photographs to send").get_by_role("listitem")


def test_text_that_calls_itself_a_photograph_is_refused_in_words_and_the_others_still_upload(
    visit: Visit, exam: Exam, photographer: User, complaints: list[str]
) -> None:
    page = visit(f"/exams/{exam.pk}/", photographer)
    page.get_by_label("Choose photographs").set_input_files(
        [
            chosen_file("letter_OD.jpg", b"Dear colleague, thank you for referring"),
            chosen_file("eye_OD.jpg", photo_bytes(seed=1)),
            chosen_file("eye_OS.jpg", photo_bytes(seed=2)),
        ]
    )
    rows = rows_of(page)
    letter = rows.filter(has_text="letter_OD.jpg")
    letter.get_by_role("button", name="Confirm").click()
    expect(letter.get_by_role("alert")).to_contain_text("This file is not a photograph, whatever its name says.")
    expect(letter.get_by_role("button", name="Try again")).to_be_focused()
    for name in ("eye_OD.jpg", "eye_OS.jpg"):
        rows.filter(has_text=name).get_by_role("button", name="Confirm").click()
        expect(rows.filter(has_text=name)).to_have_count(0)
    expect(page.locator("#eyes").get_by_role("article")).to_have_count(2)
    letter.get_by_role("button", name="Leave out").click()
    expect(rows).to_have_count(0)
    assert sorted(FundusImage.objects.values_list("laterality", flat=True)) == ["OD", "OS"]
    assert [said for said in complaints if "status of 400" not in said] == []
    complaints.clear()  # the browser notes the refused file


def test_a_blurred_photograph_is_answered_with_what_to_do(
    visit: Visit, worker: None, exam: Exam, photographer: User
) -> None:
    page = visit(f"/exams/{exam.pk}/", photographer)
    page.get_by_label("Choose photographs").set_input_files(
        [chosen_file("eye_OD.jpg", drawn_photo(1, "OD", blur_px=80.0))]
    )
    rows_of(page).get_by_role("button", name="Confirm").click()
    eye = page.get_by_role("region", name="Right eye")
    expect(eye.get_by_text("Not gradable")).to_be_visible()
    expect(eye).to_contain_text("The photograph is out of focus.")
    expect(eye).to_contain_text("Refocus on the vessels at the disc")
    expect(page.locator("#exam-live")).to_contain_text("Right eye: not gradable.")


def test_a_photograph_dropped_on_the_page_waits_for_its_eye_to_be_confirmed(
    visit: Visit, exam: Exam, photographer: User
) -> None:
    page = visit(f"/exams/{exam.pk}/", photographer)
    dropped = page.evaluate_handle(
        """bytes => {
            const dropped = new DataTransfer();
            dropped.items.add(new File([new Uint8Array(bytes)], "left-eye.jpg", {type: "image/jpeg"}));
            return dropped;
        }""",
        list(photo_bytes()),
    )
    page.locator("[data-upload-drop]").dispatch_event("drop", {"dataTransfer": dropped})
    row = rows_of(page)
    expect(row.get_by_text("Guessed from the file's name.")).to_be_visible()
    assert not FundusImage.objects.exists()
    row.get_by_label("Right eye (OD)").check()
    row.get_by_role("button", name="Confirm: right eye (OD), upload").click()
    expect(row).to_have_count(0)
    assert FundusImage.objects.get().laterality == "OD"
