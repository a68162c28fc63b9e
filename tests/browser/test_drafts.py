"""A reading is never lost: tab closed, session over, connection lost, a colleague signs, two tabs, double clicks."""

import re

import pytest
from django.test import Client
from playwright.sync_api import Dialog, Page, Route, expect

from screening.models import Exam, FirstReading, ReadingDraft, Review, Site, User
from tests.browser.conftest import Visit, wait_until
from tests.screening.factories import MembershipFactory

pytestmark = pytest.mark.browser
NORMAL = {"OD-verdict": "0", "OD-macular_oedema": "none", "OS-verdict": "0", "OS-macular_oedema": "none"}


@pytest.fixture(autouse=True)
def blind_first(site: Site) -> None:
    site.reading_mode = Site.ReadingMode.BLIND_FIRST
    site.save()


@pytest.fixture
def path(graded_exam: Exam) -> str:
    return f"/exams/{graded_exam.pk}/review/"


def grade(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def expect_saved(page: Page) -> None:
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft saved at")


def expect_entries(page: Page, **values: str) -> None:
    for name, value in values.items():
        expect(page.locator(f'input[name="{name.replace("_", "-", 1)}"]:checked')).to_have_value(value)


def log_in_again(page: Page, user: User) -> None:
    page.get_by_label("User name").fill(user.username)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(re.compile(r"^(?!.*/login/)"))  # with its scripts: keys that are pressed before do nothing


def test_a_normal_exam_takes_nine_keystrokes(visit: Visit, path: str, graded_exam: Exam, reviewer: User) -> None:
    page = visit(path, reviewer)
    grade(page, "0 m ArrowRight 0 m s s")
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(2)
    expect(page.get_by_role("group", name="Your reading")).to_be_focused()
    grade(page, "s s")
    expect(page.get_by_role("region", name="Signed review")).to_be_visible()
    assert Review.objects.get().outcome == "rescreen"
    assert not ReadingDraft.objects.exists()


def test_a_draft_comes_back_in_another_browser_and_is_in_no_storage(visit: Visit, path: str, reviewer: User) -> None:
    page = visit(path, reviewer)
    grade(page, "3 m ArrowRight 1")
    expect_saved(page)
    stored = page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert "verdict" not in stored
    assert page.evaluate("indexedDB.databases().then((found) => found.length)") == 0
    page.close()
    page = visit(path, reviewer)
    expect(page.get_by_text("Draft, not signed.")).to_be_visible()
    expect_entries(page, OD_verdict="3", OD_macular_oedema="none", OS_verdict="1")
    page.get_by_role("button", name="Discard the draft").click()
    expect(page.get_by_text("Your draft is discarded.")).to_be_visible()
    expect(page.locator("input:checked[type=radio]")).to_have_count(0)


def test_an_entry_is_saved_when_another_page_is_opened_at_once(visit: Visit, path: str, reviewer: User) -> None:
    page = visit(path, reviewer)
    grade(page, "0 m ArrowRight 0 m s s")
    note = page.get_by_label("Note")
    note.fill("Drusen, temporal to the macula")
    page.get_by_role("link", name=re.compile("^Worklist")).first.click()
    expect(page.get_by_role("heading", level=1, name="Worklist")).to_be_visible()
    page.goto(path)
    expect(note).to_have_value("Drusen, temporal to the macula")
    expect(page.get_by_text("Draft, not signed.")).to_be_visible()


def test_a_session_that_ends_half_way_loses_nothing(
    visit: Visit, path: str, reviewer: User, problems: list[str]
) -> None:
    page = visit(path, reviewer)
    grade(page, "3 m")
    expect_saved(page)
    page.context.clear_cookies(name="sessionid")
    grade(page, "ArrowRight 1 m")
    state = page.locator("[data-draft-state]")
    expect(state).to_contain_text("Not saved yet: you are logged out. Log in again")
    grade(page, "s s")
    expect(page).to_have_url(re.compile(r"/login/\?next="))
    log_in_again(page, reviewer)
    expect(page).to_have_url(re.compile(f"{path}$"))
    expect_entries(page, OD_verdict="3", OD_macular_oedema="none", OS_verdict="1", OS_macular_oedema="none")
    assert not FirstReading.objects.exists()
    grade(page, "s s")
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(2)
    page.get_by_label("Note").fill("Seen twice")
    expect_saved(page)
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Sign").click()  # a form, without htmx
    log_in_again(page, reviewer)
    expect(page.get_by_label("Note")).to_have_value("Seen twice")
    page.get_by_role("button", name="Sign").click()
    expect(page.get_by_role("region", name="Signed review")).to_contain_text("Seen twice")
    assert all("401" in problem for problem in problems)
    problems.clear()


def test_a_log_in_in_another_tab_lets_the_page_save_again(
    visit: Visit, path: str, reviewer: User, problems: list[str]
) -> None:
    page = visit(path, reviewer)
    page.context.clear_cookies(name="sessionid")
    grade(page, "4")
    expect(page.locator("[data-draft-state]")).to_contain_text("you are logged out")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Log in again").click(modifiers=["Control"])
    log_in_again(opened.value, reviewer)
    expect(opened.value.get_by_text("Draft, not signed.")).to_be_visible()
    opened.value.close()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect_saved(page)
    grade(page, "m ArrowRight 1 m s s")
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(2)
    assert all("401" in problem for problem in problems)
    problems.clear()


def test_a_lost_connection_is_shown_and_saving_is_repeated(
    visit: Visit, path: str, reviewer: User, problems: list[str]
) -> None:
    page = visit(path, reviewer)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    limits = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    devtools.send("Network.emulateNetworkConditions", {"offline": True, **limits})
    grade(page, "2 m")
    state = page.locator("[data-draft-state]")
    expect(state).to_contain_text("Not saved yet: the server does not respond.")
    assert not ReadingDraft.objects.exists()
    devtools.send("Network.emulateNetworkConditions", {"offline": False, **limits})
    expect_saved(page)
    assert ReadingDraft.objects.get().entries["OD-verdict"] == "2"
    assert all("ERR_INTERNET_DISCONNECTED" in problem for problem in problems)
    problems.clear()


def test_saving_is_repeated_while_the_server_is_unavailable(
    visit: Visit, path: str, reviewer: User, problems: list[str]
) -> None:
    page = visit(path, reviewer)
    page.route("**/draft/", lambda route: route.fulfill(status=503, body="busy"))
    grade(page, "2")
    expect(page.locator("[data-draft-state]")).to_contain_text("Not saved yet: the server does not respond.")
    page.unroute("**/draft/")
    expect_saved(page)  # without an event in the browser
    assert ReadingDraft.objects.get().entries["OD-verdict"] == "2"
    assert all("503" in problem for problem in problems)
    problems.clear()


def test_a_save_under_way_does_not_arrive_after_the_form(
    visit: Visit, path: str, reviewer: User, problems: list[str]
) -> None:
    page = visit(path, reviewer)
    saves: list[Route] = []

    def hold(route: Route) -> None:
        saves.append(route)  # without an answer

    page.route("**/draft/", hold)
    page.route("**/first-reading/", lambda route: route.fulfill(status=503, body="busy"))
    grade(page, "0 m ArrowRight 0 m")
    wait_until(page, lambda: len(saves) == 1)
    with page.expect_event("requestfailed", timeout=10_000) as cancelled:
        grade(page, "s s")
    assert cancelled.value.url.endswith("/draft/")
    wait_until(page, lambda: len(saves) == 2)  # the form did not reach the server
    saves[1].continue_()
    expect_saved(page)
    assert ReadingDraft.objects.get().entries.items() >= NORMAL.items()
    page.unroute("**/first-reading/")
    page.unroute("**/draft/")
    grade(page, "s s")
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(2)
    assert all("503" in problem for problem in problems)
    problems.clear()


def test_an_older_tab_shows_that_there_is_a_newer_draft(
    visit: Visit, path: str, reviewer: User, problems: list[str]
) -> None:
    first = visit(path, reviewer)
    second = first.context.new_page()
    second.goto(path)
    grade(first, "1")
    expect_saved(first)
    grade(second, "4")
    notice = second.get_by_role("alert").filter(has_text="A newer draft of this reading")
    expect(notice).to_be_visible()
    assert ReadingDraft.objects.get().entries["OD-verdict"] == "1"
    second.get_by_role("button", name="Keep what is on this page").click()
    expect_saved(second)
    assert ReadingDraft.objects.get().entries["OD-verdict"] == "4"
    expect(first.get_by_role("alert").filter(has_text="A newer draft of this reading")).to_be_visible()
    first.get_by_role("link", name="Show the newer draft").click()
    expect_entries(first, OD_verdict="4")
    assert all("409" in problem for problem in problems)
    problems.clear()


def test_an_older_tab_is_left_only_after_a_question(
    visit: Visit, path: str, reviewer: User, problems: list[str]
) -> None:
    first = visit(path, reviewer)
    second = first.context.new_page()
    second.goto(path)
    grade(first, "1")
    expect_saved(first)
    grade(second, "4")
    expect(second.get_by_role("alert").filter(has_text="A newer draft of this reading")).to_be_visible()
    questions: list[str] = []

    def stay(dialog: Dialog) -> None:
        questions.append(dialog.type)
        dialog.dismiss()

    second.on("dialog", stay)
    second.get_by_role("link", name="Patients", exact=True).click()
    expect(second).to_have_url(re.compile(f"{path}$"))
    expect_entries(second, OD_verdict="4")
    assert questions == ["beforeunload"]
    second.get_by_role("link", name="Show the newer draft").click()  # answers it
    expect_entries(second, OD_verdict="1")
    assert questions == ["beforeunload"]
    assert all("409" in problem for problem in problems)
    problems.clear()


def test_the_page_of_a_late_reader_shows_it_while_it_is_open(
    visit: Visit, path: str, graded_exam: Exam, site: Site, reviewer: User
) -> None:
    page = visit(path, reviewer)
    grade(page, "3 m")
    expect_saved(page)
    colleague = Client()
    colleague.force_login(MembershipFactory(site=site, role="reviewer").user)
    for step in ("take-over", "first-reading", "sign"):
        data = NORMAL | {"note": "Normal fundus", "holder": str(reviewer.pk)}
        colleague.post(f"/exams/{graded_exam.pk}/{step}/", data)
    assert Review.objects.count() == 1
    notice = page.get_by_role("alert").filter(has_text="A colleague signed this exam while you were reading")
    expect(notice).to_be_visible()
    assert "Normal fundus" not in page.content()
    grade(page, "ArrowRight 0 m s s")
    own = page.get_by_role("region", name="Your own reading", exact=True)
    expect(own).to_contain_text("yours: Severe")
    expect(own.get_by_text("Differs")).to_have_count(1)
    expect(own.get_by_text("The same")).to_have_count(1)
    expect(page.get_by_role("region", name="Signed review")).to_contain_text("Normal fundus")
    assert FirstReading.objects.filter(reviewer=reviewer).count() == 2


def test_a_double_click_signs_once(visit: Visit, path: str, reviewer: User) -> None:
    page = visit(path, reviewer)
    grade(page, "0 m ArrowRight 0 m s s")
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(2)
    page.get_by_role("button", name="Sign").dblclick()
    expect(page.get_by_role("region", name="Signed review")).to_be_visible()
    page.go_back()
    page.reload()
    expect(page.get_by_role("region", name="Signed review")).to_be_visible()
    assert Review.objects.count() == 1
