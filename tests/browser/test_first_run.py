"""First run: a manager alone, from a new installation to the first signed exam and its report."""

import re

import pytest
from playwright.sync_api import Page, expect

from screening import tasks
from screening.models import Referral, Review, Site, User
from screening.services import documents
from tests.browser.conftest import Visit
from tests.screening.reports.conftest import pango  # noqa: F401 (a fixture)

pytestmark = pytest.mark.browser


def create_site(page: Page) -> None:
    page.get_by_label("Name of the clinic").fill("Harbour Clinic")
    page.get_by_label("Time zone").select_option("Europe/Paris")
    page.get_by_role("button", name="Create the site").click()
    expect(page.get_by_role("heading", name="First steps of Harbour Clinic")).to_be_visible()


def store_protocol(page: Page) -> None:
    page.get_by_role("link", name="Store the reading protocol").click()
    page.get_by_label("Reason").fill("The usual one")
    page.get_by_role("button", name="Store as a new version").click()
    expect(page.get_by_text("Version 1 is stored.")).to_be_visible()


def invite_reader(page: Page) -> None:
    page.get_by_role("link", name="Invite the staff").click()
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Reviewer", exact=True).check()
    page.get_by_role("button", name="Invite", exact=True).click()


def hand_over(page: Page) -> None:
    page.get_by_role("button", name="Begin a practice exam").click()
    expect(page.get_by_text("Practice: drawn photographs, not a patient")).to_be_visible()
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_text("It is now on the reviewer's worklist.")).to_be_visible()


def read(page: Page) -> None:
    page.get_by_role("link", name="Read the practice exam and sign it").click()
    for eye in ("Right eye", "Left eye"):
        form = page.get_by_role("group", name=re.compile(f"^{eye} O[DS]"))
        form.get_by_role("radiogroup", name="Grade").get_by_role("radio", name="0").check()
        form.get_by_role("radiogroup", name="Macular oedema").get_by_role("radio", name="None").check()
    page.get_by_role("button", name="Save my reading").click()
    page.get_by_role("button", name="Sign", exact=False).click()
    expect(page.get_by_role("region", name="Signed review")).to_contain_text("Signed by")


@pytest.mark.usefixtures("worker", "pango")
def test_a_manager_alone_goes_from_the_first_run_to_the_first_signed_exam(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "publish", lambda document_id: tasks.make_document(str(document_id)))
    page = visit("/", User.objects.create_superuser("chief"))
    create_site(page)
    hub = page.url
    for do in (store_protocol, invite_reader, hand_over, read):
        page.goto(hub)
        do(page)
    page.goto(hub)
    page.get_by_role("link", name="Make its report").click()
    page.get_by_role("button", name="Make the report").click()
    expect(page.locator(".documents").get_by_role("link").first).to_be_visible()
    page.goto(hub)
    expect(page.get_by_role("list").get_by_text("Done", exact=True)).to_have_count(6)
    page.get_by_role("button", name="All is done: close the list").click()
    expect(page.get_by_text("The first steps are closed.")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("^First steps"))).to_have_count(0)
    assert Review.objects.get().exam.site.practice_of == Site.objects.get(practice_of=None)
    assert not Referral.objects.exists()
