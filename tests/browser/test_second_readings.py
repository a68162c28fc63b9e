"""Two readers who disagree, each without a sight of the other and of the model, and a senior reviewer who decides."""

import json
import re

import pytest
from playwright.sync_api import Page, Response, expect

from screening.models import Exam, Reading, Review, Site, User
from tests.browser.conftest import Visit
from tests.browser.test_axe import violations
from tests.screening.factories import MembershipFactory
from tests.screening.protocols import use_protocol

pytestmark = pytest.mark.browser
SECRET = "Naevus that the first reader saw"


def grade(page: Page, right: str, left: str) -> None:
    for eye, chosen in (("Right eye", right), ("Left eye", left)):
        form = page.get_by_role("group", name=re.compile(f"^{eye} O[DS]"))
        form.get_by_role("radiogroup", name="Grade").get_by_role("radio", name=chosen).check()
        form.get_by_role("radiogroup", name="Macular oedema").get_by_role("radio", name="None").check()


def texts_of(page: Page) -> list[Response]:
    """The answers that the page receives from now on, without photographs."""
    answers: list[Response] = []
    page.on("response", lambda one: answers.append(one) if "image" not in one.headers.get("content-type", "") else None)
    return answers


def draw_a_mark(page: Page) -> int:
    """Draw a point on the right photograph of the consensus page; how many marks the own findings have then."""
    form = page.locator('[data-eye-form="OD"]')
    expect(form.locator("[data-contradiction]")).to_be_hidden()
    expect(form.locator("[data-ungradable-reason]")).to_be_hidden()
    form.get_by_role("radio", name="Ungradable").check()
    expect(form.locator("[data-ungradable-reason]")).to_be_visible()
    pane = page.locator(".pane.is-first.is-OD [data-viewer-window]")
    page.get_by_role("button", name="Draw marks").click()
    pane.click()
    expect(pane.locator(".mark")).to_have_count(1)
    return len(json.loads(page.locator('input[data-marks="OD"]').input_value()))


def test_two_readers_disagree_and_a_senior_reviewer_decides(
    visit: Visit, site: Site, graded_exam: Exam, reviewer: User, problems: list[str]
) -> None:
    use_protocol(site)
    second, senior = (MembershipFactory(site=site, role=role).user for role in ("reviewer", "senior_reviewer"))
    address = f"/exams/{graded_exam.pk}/review/"
    page = visit(address, reviewer)
    grade(page, "3", "0")
    page.get_by_label("Note").fill(SECRET)
    page.get_by_role("button", name="Sign", exact=False).first.click()
    expect(page.get_by_text("It is no result yet")).to_be_visible()

    desk = visit("/?state=waiting&reading=second", second)
    answers = texts_of(desk)
    desk.get_by_role("link", name=re.compile("^Read ")).click()
    expect(desk.get_by_role("region", name="Result of the model")).to_have_count(0)
    grade(desk, "0", "0")
    answers_before = [one.text() for one in answers if one.status == 200 and "/static/" not in one.url]
    assert answers_before
    for text in answers_before:
        assert SECRET not in text
        assert "heatmap-" not in text
    desk.get_by_role("button", name="Save my reading").click()
    expect(desk.get_by_role("region", name="Result of the model")).to_have_count(2)
    expect(desk.get_by_text(SECRET)).to_have_count(0)
    desk.get_by_role("button", name="Sign", exact=False).first.click()
    expect(desk.get_by_text("Two readers disagree")).to_be_visible()
    assert not Review.objects.exists()

    consensus = visit(address, senior)
    expect(consensus.get_by_role("heading", name="Decide between two readers")).to_be_visible()
    expect(consensus.get_by_text(SECRET)).to_be_visible()
    assert violations(consensus, f"/exams/{graded_exam.pk}/consensus/") == []
    consensus.get_by_role("button", name="Sign the decision").click()
    expect(consensus.get_by_text("Enter the reason for your decision.").first).to_be_visible()
    assert [one for one in problems if "422" not in one] == []
    problems.clear()
    assert draw_a_mark(consensus) == 1, "the arbiter draws as a reader does"
    consensus.get_by_label(f"Take over the reading of {reviewer}").check()
    consensus.get_by_label("Reason", exact=True).fill("Haemorrhages in four quadrants")
    expect(consensus.get_by_text("Draft saved at")).to_be_visible()
    consensus.goto(f"/exams/{graded_exam.pk}/consensus/")
    expect(consensus.get_by_text("Draft, not signed.")).to_be_visible()
    expect(consensus.get_by_label("Reason", exact=True)).to_have_value("Haemorrhages in four quadrants")
    expect(consensus.get_by_label(f"Take over the reading of {reviewer}")).to_be_checked()
    expect(consensus.locator(".pane.is-first.is-OD [data-viewer-window] .mark")).to_have_count(1)
    consensus.get_by_role("button", name="Sign the decision").click()
    expect(consensus.get_by_text("own findings, which are lost").first).to_be_visible()
    problems.clear()  # 422 once more
    consensus.get_by_label("Sign without the own findings").check()
    consensus.get_by_role("button", name="Sign the decision").click()
    expect(consensus.get_by_text("This exam is signed.")).to_be_visible()
    review = Review.objects.get()
    assert (review.reviewer, review.findings.get(laterality="OD").grade) == (senior, 3)
    assert set(Reading.objects.values_list("stage", "reader")) == {
        ("first", reviewer.pk),
        ("second", second.pk),
        ("arbitration", senior.pk),
    }
