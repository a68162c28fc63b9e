"""The warning before a session ends, and what is shown when it has ended."""

import json
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from screening.models import Exam, User
from tests.browser.conftest import Visit
from tests.browser.test_drafts import expect_saved, grade, log_in_again

pytestmark = pytest.mark.browser


def test_a_warning_before_the_session_ends_lets_the_user_stay(
    visit: Visit, graded_exam: Exam, reviewer: User, settings: Any
) -> None:
    settings.SESSION_COOKIE_AGE = 115
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    warning = page.get_by_role("alertdialog", name="Are you still there?")
    expect(warning).to_be_visible()
    expect(page.get_by_role("button", name="Stay logged in")).to_be_focused()
    grade(page, "4")  # the shortcuts of the page behind it rest
    expect(page.locator('input[name="OD-verdict"]:checked')).to_have_count(0)
    settings.SESSION_COOKIE_AGE = 1800
    page.keyboard.press("Enter")
    expect(warning).to_be_hidden()
    grade(page, "4")
    expect_saved(page)


def test_the_end_of_the_session_is_shown(visit: Visit, reviewer: User, settings: Any, problems: list[str]) -> None:
    settings.SESSION_COOKIE_AGE = 115
    page = visit("/patients/", reviewer)
    expect(page.get_by_role("alertdialog")).to_be_visible()
    Session.objects.all().delete()
    page.get_by_role("button", name="Stay logged in").click()
    expect(page.get_by_role("alertdialog")).to_contain_text("You are logged out.")
    page.get_by_role("link", name="Log in again").click()
    log_in_again(page, reviewer)
    expect(page.get_by_role("heading", level=1, name="Patients")).to_be_visible()
    assert all("401" in problem for problem in problems), json.dumps(problems)
    problems.clear()
