"""DICOM files on the exam page."""

from typing import Any

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from screening.models import Exam, FundusImage, User
from tests.browser.conftest import Visit, hold, synthetic_photo, wait_until
from tests.dicom_files import coded_field, dicom_jpeg

pytestmark = pytest.mark.browser


def choose(page: Page, **values: Any) -> Locator:
    """Choose a DICOM file without an extension, as cameras write them."""
    person: dict[str, Any] = {"PatientID": "9", "PatientName": "Hopper^Grace"} | values
    data = dicom_jpeg(synthetic_photo(1, "OS"), **person)
    file: FilePayload = {"name": "IM000001", "mimeType": "application/octet-stream", "buffer": data}
    page.get_by_label("Choose photographs").set_input_files([file])
    return page.get_by_role("list", name="Photographs to upload").get_by_role("listitem")


def test_a_dicom_file_has_a_preview_its_eye_and_a_question(
    visit: Visit, open_exam: Exam, photographer: User, problems: list[str]
) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    row = choose(page, ImageLaterality="L")
    expect(row.get_by_text("Stated in the DICOM file.")).to_be_visible()
    expect(row.get_by_label("Left eye (OS)")).to_be_checked()
    preview = row.get_by_role("img", name="Preview", exact=True)
    expect(preview).not_to_have_attribute("data-is-blank", "")
    assert preview.evaluate("canvas => canvas.getContext('2d').getImageData(96, 72, 1, 1).data[0]") > 50
    row.get_by_role("button", name="Confirm: left eye (OS)").click()
    expect(row.get_by_role("alert").first).to_contain_text("This DICOM file may be of another patient.")
    expect(row.get_by_label("Left eye (OS)")).to_be_focused()
    expect(row.get_by_label("Why is this photograph in the exams of two patients?")).to_be_hidden()
    assert not FundusImage.objects.exists()
    row.get_by_role("button", name="It shows this patient: add it").click()
    expect(row).to_have_count(0)
    assert FundusImage.objects.get().laterality == "OS"
    assert [problem for problem in problems if "409" not in problem] == []
    problems.clear()


def test_counters_and_uids_in_names_of_files_are_no_people(
    visit: Visit, open_exam: Exam, photographer: User, problems: list[str]
) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    oct_scan = dicom_jpeg(SOPClassUID="1.2.840.10008.5.1.4.1.1.77.1.5.4")
    uids = ["1.2.826.0.1.3680043.8.498.1.1", "1.2.826.0.1.3680043.8.498.2.1"]
    contents = dict.fromkeys(["IM000001", "IM000002", *uids], dicom_jpeg(synthetic_photo(1, "OS")))
    contents |= dict.fromkeys(["Cube", "Line"], oct_scan)
    files: list[FilePayload] = [
        {"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in contents.items()
    ]
    page.get_by_label("Choose photographs").set_input_files(files)
    rows = page.get_by_role("list", name="Photographs to upload").get_by_role("listitem")
    expect(rows.get_by_text("Stated in the DICOM file.").filter(visible=True)).to_have_count(4)
    expect(rows.get_by_text("This DICOM file is an OCT scan.")).to_have_count(2)
    expect(page.get_by_text("The names of the files differ")).to_be_hidden()
    page.reload()
    expect(rows.get_by_text("Stated in the DICOM file.").filter(visible=True)).to_have_count(4)
    expect(rows).to_have_count(4)  # the scans are no photographs of this visit
    assert [problem for problem in problems if "400" not in problem and "404" not in problem] == []
    problems.clear()


def test_a_field_that_the_user_chose_stays(visit: Visit, open_exam: Exam, photographer: User) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    requests = hold(page, "**/suggest-eye")
    row = choose(page, ImageLaterality="L", RelativeImagePositionCodeSequence=coded_field("111901"))
    wait_until(page, lambda: len(requests) == 1)
    row.get_by_label("Field").select_option("other")
    requests[0].continue_()
    expect(row.get_by_text("Stated in the DICOM file.")).to_be_visible()
    expect(row.get_by_label("Field")).to_have_value("other")


def test_the_other_eye_than_that_of_the_file_is_a_question(
    visit: Visit, open_exam: Exam, photographer: User, problems: list[str]
) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    row = choose(page, PatientID="", PatientName="", PatientBirthDate="", ImageLaterality="L")
    row.get_by_label("Right eye (OD)").check()
    row.get_by_role("button", name="Confirm: right eye (OD)").click()
    expect(row.get_by_role("alert").first).to_contain_text("The DICOM file states that this is the left eye.")
    row.get_by_label("Left eye (OS)").check()
    row.get_by_role("button", name="Confirm: left eye (OS)").click()
    expect(row).to_have_count(0)
    assert FundusImage.objects.get().laterality == "OS"
    assert [problem for problem in problems if "409" not in problem] == []
    problems.clear()


def test_a_refused_kind_is_named_before_an_eye_is_chosen(
    visit: Visit, open_exam: Exam, photographer: User, problems: list[str]
) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    row = choose(page, ImageLaterality=None, HorizontalFieldOfView=200.0)
    expect(row.get_by_role("alert").last).to_contain_text("is a wide-field one")
    expect(row.get_by_label("Left eye (OS)")).to_be_hidden()
    expect(row.get_by_role("button", name="Try again")).to_be_hidden()
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    assert [problem for problem in problems if not {"400", "404"} & set(problem.split())] == []
    problems.clear()
