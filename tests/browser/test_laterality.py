"""Which eye: by the name of the file, by the photograph, and the warning if it was recorded for the other one."""

import pytest
from playwright.sync_api import Locator, Route, expect

from screening.models import Exam, FundusImage, User
from tests.browser.conftest import Visit, choose_photos, synthetic_photo
from tests.builders import photo_bytes
from tests.ml.test_eye_names import NAMES

pytestmark = pytest.mark.browser

RIGHT, LEFT = "Right eye (OD)", "Left eye (OS)"


def chosen_eye(row: Locator) -> str | None:
    chosen = row.locator("input[type=radio]:checked")
    return chosen.get_attribute("value") if chosen.count() else None


def test_focus_is_on_the_eye_of_the_file_name_and_space_does_not_flip_it(
    visit: Visit, open_exam: Exam, photographer: User
) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    rows = choose_photos(page, {"a_left.jpg": photo_bytes(seed=1), "b_OG.jpg": photo_bytes(seed=2)})
    first, second = rows.nth(0), rows.nth(1)
    expect(first.get_by_label(LEFT)).to_be_focused()
    page.keyboard.press("Space")
    assert chosen_eye(first) == "OS"
    first.get_by_role("button", name="Remove").focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    expect(rows.get_by_label(LEFT)).to_be_focused()  # of the second file
    page.keyboard.press("Space")
    assert chosen_eye(rows.nth(0)) == "OS"
    assert second.count() == 0
    rows.get_by_role("button", name="Confirm: left eye (OS)").click()
    expect(rows).to_have_count(0)
    assert FundusImage.objects.get().laterality == "OS"


@pytest.mark.parametrize(("eye", "label"), [("OD", RIGHT), ("OS", LEFT)])
def test_the_photograph_suggests_the_eye_if_its_name_has_none(
    visit: Visit, open_exam: Exam, photographer: User, eye: str, label: str
) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    row = choose_photos(page, {"IMG_0001.jpg": synthetic_photo(1, eye)})
    page.keyboard.press("Space")  # focus is on the group of both eyes: nothing is chosen by accident
    assert chosen_eye(row) in {None, eye}
    expect(row.get_by_text("Suggested by the photograph.")).to_be_visible()
    expect(row.get_by_label(label)).to_be_checked()
    expect(row.get_by_label(label)).to_be_focused()
    page.keyboard.press("Space")
    assert chosen_eye(row) == eye
    assert not FundusImage.objects.exists()  # a person confirms it
    row.get_by_role("button", name="Confirm").click()
    expect(row).to_have_count(0)
    assert FundusImage.objects.get().laterality == eye


def test_a_choice_made_before_the_answer_is_kept(visit: Visit, open_exam: Exam, photographer: User) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    waiting: list[Route] = []
    page.route("**/suggest-eye", lambda route: waiting.append(route))  # noqa: PLW0108 (Playwright needs a function)
    with page.expect_request("**/suggest-eye"):
        row = choose_photos(page, {"IMG_0001.jpg": photo_bytes()})
    expect(row.get_by_text("Looking at the photograph.")).to_be_visible()
    row.get_by_label(RIGHT).check()
    expect(row.get_by_text("Looking at the photograph.")).to_be_hidden()
    with page.expect_response("**/suggest-eye"):
        waiting[0].fulfill(json={"laterality_suggested": "OS"})
    page.wait_for_function("() => true")
    assert chosen_eye(row) == "OD"
    expect(row.get_by_role("button", name="Confirm: right eye (OD)")).to_be_enabled()


def test_without_an_eye_in_name_and_photograph_the_user_chooses(
    visit: Visit, open_exam: Exam, photographer: User
) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    row = choose_photos(page, {"world.jpg": photo_bytes()})
    expect(row.get_by_text("Neither the file name nor the photograph shows which eye this is.")).to_be_visible()
    assert chosen_eye(row) is None
    expect(row.get_by_role("button", name="Choose the eye first")).to_be_disabled()


def test_the_page_reads_names_as_the_label_readers_do(visit: Visit, open_exam: Exam, photographer: User) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    names = [name for name in NAMES if name]
    found = page.evaluate(
        """(names) => {
            const words = JSON.parse(document.getElementById("capture-facts").textContent).eye_names;
            return names.map((name) => window.capture.keyInName(name, words));
        }""",
        names,
    )
    assert dict(zip(names, found, strict=True)) == {name: NAMES[name] for name in names}


def test_a_photograph_recorded_for_the_wrong_eye_is_changed_by_a_person(
    visit: Visit, worker: None, open_exam: Exam, photographer: User
) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    row = choose_photos(page, {"mistaken_OD.jpg": synthetic_photo(2, "OS")})
    row.get_by_role("button", name="Confirm: right eye (OD)").click()
    right, left = (page.get_by_role("region", name=name) for name in ("Right eye", "Left eye"))
    expect(right.get_by_text("Check the eye.")).to_be_visible()
    expect(page.locator("#exam-live")).to_contain_text("the photograph looks like the other eye")
    assert FundusImage.objects.get().laterality == "OD"
    right.get_by_role("button", name="Change the eye to: Left eye (OS)").click()
    expect(left.get_by_role("article")).to_have_count(1)
    expect(page.get_by_text("Check the eye.")).to_have_count(0)
    assert FundusImage.objects.get().laterality == "OS"
