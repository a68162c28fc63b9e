"""What a person entered in a form: it stays if the session ended, the connection is lost or the page is left."""

import pytest
from playwright.sync_api import expect

from screening.models import Exam, Patient, User, VisitFacts
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


def test_entries_stay_until_they_can_be_sent(
    visit: Visit, open_exam: Exam, photographer: User, problems: list[str]
) -> None:
    page = visit("/patients/new/", photographer)
    for label, text in (("Medical record number", "A-1"), ("Family name", "Lovelace"), ("Birth date", "1960")):
        page.get_by_label(label).fill(text)
    button, dialog = page.get_by_role("button", name="Register"), page.locator("#session-warning")
    session = [one for one in page.context.cookies() if one.get("name") == "sessionid"]
    page.context.clear_cookies(name="sessionid")
    button.click()
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("What you entered is still on this page.")
    page.context.add_cookies(session)  # type: ignore[arg-type]  # as they were read
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(dialog).to_be_hidden()
    page.context.set_offline(True)
    button.click()
    expect(page.get_by_role("alert")).to_contain_text("Your entries are still on this page.")
    page.context.set_offline(False)
    button.dblclick()
    expect(page.get_by_text("The patient is registered.")).to_be_visible()
    assert Patient.objects.filter(family_name="Lovelace").count() == 1
    problems.clear()  # 401, and the lost connection


def test_a_page_with_unsent_entries_is_left_after_a_question(visit: Visit, open_exam: Exam, photographer: User) -> None:
    page = visit(f"/exams/{open_exam.pk}/", photographer)
    page.get_by_text("Record or correct").click()
    page.get_by_label("HbA1c").fill("7.4")
    with page.expect_event("dialog") as shown:
        page.on("dialog", lambda dialog: dialog.dismiss())
        page.get_by_role("link", name="Patients").first.click(no_wait_after=True)
    assert shown.value.type == "beforeunload"
    page.get_by_role("button", name="Save the facts").click()
    expect(page.get_by_text("The facts of the visit are saved.")).to_be_visible()
    assert VisitFacts.objects.get().hba1c_unit == "percent"
