"""An exam that comes back to its reader weeks later: unmarked, read as any other, without effect on the result."""

import re

import pytest
from playwright.sync_api import expect

from screening.models import Exam, Repeat, Review, Site, User
from tests.browser.conftest import Visit
from tests.browser.test_second_readings import grade
from tests.screening.protocols import found, sign
from tests.screening.repeats import Clock, blind_site, exam_before_a_repeat

pytestmark = pytest.mark.browser


def test_a_repeat_is_unmarked_and_changes_no_result(
    visit: Visit, site: Site, graded_exam: Exam, reviewer: User, problems: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    blind_site(site)
    signed = sign(graded_exam, reviewer, found(3, 2))
    assert isinstance(signed, Review)
    clock.move(weeks=9)
    exam_before_a_repeat(site)
    before = list(signed.findings.order_by("laterality").values())

    page = visit("/?state=waiting", reviewer)
    page.get_by_role("button", name="Next exam").click()
    page.wait_for_url(re.compile(f"/exams/{graded_exam.pk}/review/"))
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(0)
    text = page.locator("main").inner_text().lower()
    assert not [name for name in ("repeat", "signed by") if name in text]
    expect(page.get_by_role("radio", checked=True, name=re.compile("^[0-4]"))).to_have_count(0)
    grade(page, "1", "0")
    with page.expect_navigation():
        page.get_by_role("button", name="Save my reading").click()
    repeat = Repeat.objects.get(exam=graded_exam)
    assert repeat.state == "done"
    assert Review.objects.get() == signed
    assert list(signed.findings.order_by("laterality").values()) == before
    graded_exam.refresh_from_db()
    assert graded_exam.status == "signed"
    assert all("404" in one for one in problems), "the other exam has no files"
    problems.clear()
