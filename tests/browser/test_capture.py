"""Taking the photographs of a visit: slots, lost connections, many files at once, eyes that cannot be taken."""

import re
import zipfile
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from playwright.sync_api import FilePayload, Page, expect

from screening.models import Exam, FundusImage, PhotoUpload, User
from tests.browser.conftest import Visit, choose_photos, synthetic_photo
from tests.builders import photo_bytes
from tests.screening.factories import FundusImageFactory, GradingFactory

pytestmark = pytest.mark.browser
TABLET = (768, 1024)
COUNT_KEPT = """async () => {
    const {account, exam} = document.querySelector("[data-upload]").dataset;
    return (await window.capture.store.list(account, exam)).length;
}"""

KEEP_OLD = """async () => {
    const {account, exam} = document.querySelector("[data-upload]").dataset;
    const addedAt = Date.now() - 24.1 * 3600 * 1000;
    await window.capture.store.put({id: "old", account, exam, blob: new Blob(["x"]), addedAt});
}"""
HAVE_NO_SPACE = """() => {
    IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError"); };
}"""


def choose_for_slot(page: Page, eye: str, data: bytes, *, name: str = "IMG_0001.jpg") -> None:
    file: FilePayload = {"name": name, "mimeType": "image/jpeg", "buffer": data}
    page.get_by_label(f"Choose a photograph: {eye}, Macula-centred").set_input_files([file])


def test_a_visit_on_a_tablet_with_a_lost_connection(
    visit: Visit, worker: None, open_exam: Exam, photographer: User, problems: list[str]
) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer, size=TABLET)
    rows = page.get_by_role("list", name="Photographs to upload").get_by_role("listitem")
    right, left = (page.get_by_role("region", name=f"{side} eye") for side in ("Right", "Left"))
    page.get_by_label("Pupils").select_option("dilated")
    choose_for_slot(page, "Right eye", synthetic_photo(1, "OD", blur_px=80.0))
    expect(right.get_by_text("Not gradable", exact=True)).to_be_visible()
    expect(right).to_contain_text("Refocus on the vessels")
    expect(page.locator(".checklist")).to_contain_text("Right eye: take another photograph")
    choose_for_slot(page, "Right eye", synthetic_photo(1, "OD"))
    expect(right.locator(".chip").first).to_have_text(re.compile("Good|Usable"))
    expect(right.get_by_text("1 earlier photograph was not gradable")).to_be_visible()

    page.context.set_offline(True)
    choose_for_slot(page, "Left eye", synthetic_photo(1, "OS"))
    banner = page.get_by_text("The connection is lost. 1 photograph waits")
    expect(banner).to_be_visible()
    page.route("**/api/v1/**", lambda route: route.abort())
    page.context.set_offline(False)
    page.reload()
    expect(rows).to_have_count(1)
    expect(banner).to_be_visible()
    assert page.evaluate(COUNT_KEPT) == 1
    page.unroute("**/api/v1/**")
    expect(left.get_by_role("article")).to_have_count(1)
    expect(banner).to_be_hidden()
    expect(rows).to_have_count(0)
    assert page.evaluate(COUNT_KEPT) == 0
    assert not PhotoUpload.objects.exists()
    expect(left.locator(".chip").first).to_have_text(re.compile("Good|Usable"))
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_text("It is now on the reviewer's worklist.")).to_be_visible()
    assert set(FundusImage.objects.values_list("pupil", flat=True)) == {"dilated"}
    assert [problem for problem in problems if "ERR_" not in problem] == []
    problems.clear()


def test_twelve_files_and_an_archive_at_once(visit: Visit, open_exam: Exam, photographer: User) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    names = [f"{eye}_{field}_{n}.jpg" for eye in ("OD", "OS") for field in ("macula", "disc") for n in (1, 2, 3)]
    names[0] = "IMG_0417.jpg"
    rows = choose_photos(page, {name: photo_bytes(seed=seed) for seed, name in enumerate(names)})
    expect(rows).to_have_count(12)
    expect(page.get_by_role("button", name="Choose the eye of 1 more")).to_be_disabled()
    rows.filter(has_text="IMG_0417.jpg").get_by_label("Right eye (OD)").check()
    page.get_by_role("button", name="Confirm all 12").click()
    expect(rows).to_have_count(0)
    taken = FundusImage.objects.values_list("laterality", "field")
    assert sorted(taken) == sorted([(name[:2], name.split("_")[1]) for name in names[1:]] + [("OD", "macula")])

    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("visit/OS_disc.jpg", photo_bytes(seed=20))
        archive.writestr("letter.pdf", b"%PDF-1.7")
    rows = choose_photos(page, {"visit.zip": written.getvalue()})
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="letter.pdf").get_by_role("alert")).to_contain_text("This is a PDF document")
    rows.filter(has_text="OS_disc.jpg").get_by_role("button", name="Confirm: left eye (OS)").click()
    expect(rows).to_have_count(1)
    assert FundusImage.objects.filter(laterality="OS", field="disc").count() == 4


def test_an_eye_that_cannot_be_taken(visit: Visit, open_exam: Exam, photographer: User) -> None:
    for seed, (eye, state) in enumerate([("OD", "is_done"), *[("OS", "is_ungradable")] * 3]):
        file = ContentFile(photo_bytes(seed=seed), name="photo.jpg")
        GradingFactory(image=FundusImageFactory(exam=open_exam, laterality=eye, file=file), **{state: True})
    page = visit(f"/exams/{open_exam.pk}/", photographer, size=TABLET)
    left = page.get_by_role("region", name="Left eye")
    expect(left.get_by_text("2 earlier photographs were not gradable")).to_be_visible()
    left.get_by_label("Cataract or another opacity").check()
    left.get_by_role("button", name="Record as not obtainable").click()
    expect(left).to_contain_text("No gradable photograph can be obtained: Cataract or another opacity")
    expect(left).to_contain_text("referred for slit-lamp examination")
    expect(page.locator(".checklist")).to_contain_text("Left eye: not obtainable")
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_text("It is now on the reviewer's worklist.")).to_be_visible()


def test_photographs_that_wait_are_of_one_account_and_end_with_the_log_out(
    visit: Visit, open_exam: Exam, photographer: User, problems: list[str]
) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    page.route("**/api/v1/**", lambda route: route.abort())
    rows = choose_photos(page, {"BYRON_ADA_OD.jpg": photo_bytes()})
    expect(page.get_by_text("The connection is lost. 1 photograph waits")).to_be_visible()
    kept = page.evaluate(
        """async () => {
            const {account, exam} = document.querySelector("[data-upload]").dataset;
            const entries = await window.capture.store.list(account, exam);
            const others = await window.capture.store.list("another", exam);
            const [first] = entries;
            return [Object.keys(first).sort(), JSON.stringify(entries), first.blob.name ?? null, others.length];
        }"""
    )
    assert kept[0] == [
        "account",
        "addedAt",
        "blob",
        "exam",
        "eye",
        "field",
        "id",
        "isArchive",
        "isConfirmed",
        "uploadUrl",
    ]
    assert "BYRON" not in kept[1]
    assert kept[2:] == [None, 0]
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("User name")).to_be_visible()
    assert "waiting-photographs" not in page.evaluate(
        "async () => (await indexedDB.databases()).map((one) => one.name)"
    )
    assert rows.count() == 0
    assert [problem for problem in problems if "ERR_" not in problem] == []
    problems.clear()


def test_photographs_of_another_day_are_deleted_from_the_browser(
    visit: Visit, open_exam: Exam, photographer: User
) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    page.evaluate(KEEP_OLD)
    assert page.evaluate(COUNT_KEPT) == 1
    page.goto(page.url.replace(f"exams/{open_exam.pk}/", "patients/"))
    page.go_back()
    expect(page.get_by_label("Choose photographs")).to_be_visible()
    page.wait_for_function(f"async () => await ({COUNT_KEPT})() === 0")
    assert not PhotoUpload.objects.exists()


def test_files_of_two_people_in_a_browser_without_space(visit: Visit, open_exam: Exam, photographer: User) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    page.evaluate(HAVE_NO_SPACE)
    rows = choose_photos(page, {"A-1001_OD.jpg": photo_bytes(seed=1), "A-1002_OS_2.jpg": photo_bytes(seed=2)})
    differ = page.get_by_text("The names of the files differ: a 1001, a 1002.")
    expect(differ).to_be_visible()
    expect(page.get_by_text("This browser has no space to keep photographs.")).to_be_visible()
    rows.filter(has_text="A-1002").get_by_role("button", name="Remove").click()
    expect(differ).to_be_hidden()
    choose_for_slot(page, "Left eye", photo_bytes(seed=3), name="A-1003_1.jpg")  # it would be added at once
    expect(page.get_by_text("The names of the files differ: a 1001, a 1003.")).to_be_visible()
    rows.filter(has_text="A-1003").get_by_role("button", name="Remove").click()
    rows.filter(has_text="A-1001").get_by_role("button", name="Confirm: right eye (OD)").click()
    expect(rows).to_have_count(0)
    assert [image.laterality for image in FundusImage.objects.all()] == ["OD"]
