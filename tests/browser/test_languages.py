"""Pages in other languages: nothing leaves a phone where words are long, and eyes are not mirrored."""

from typing import Any

import pytest

from screening.models import Exam, Site, User
from tests.browser.conftest import PHONE, Visit

pytestmark = pytest.mark.browser

OUTSIDE = """() => {
  const width = document.documentElement.clientWidth;
  const isOutside = (node) => {
    const { left, right } = node.getBoundingClientRect();
    const isSeen = node.innerText?.trim() && !node.closest(".table-wrap, .strip, .skip, .visually-hidden");
    return isSeen && (left < -1 || right > width + 1);
  };
  return [...document.querySelectorAll("button, .button, .chip, label, summary, dd, h1, h2, p")]
    .filter((node) => node.checkVisibility() && isOutside(node)).map((node) => node.innerText.slice(0, 60));
}"""
"""Texts of elements that are not whole within the window."""


@pytest.mark.parametrize("language", ["de", "fr"])
def test_no_text_leaves_a_phone(visit: Visit, graded_exam: Exam, site: Site, reviewer: User, language: str) -> None:
    reviewer.language = language
    reviewer.save()
    site.memberships.create(user=reviewer, role="manager")
    page = visit("/", reviewer, size=PHONE)
    exam, patient = f"/exams/{graded_exam.pk}/", f"/patients/{graded_exam.patient_id}/"
    lists = ("/", "/patients/", "/results/", "/referrals/", "/referrals/metrics/", f"/sites/{site.pk}/due-list/")
    forms = ("/password/", "/patients/new/", f"/sites/{site.pk}/protocol/", f"/sites/{site.pk}/outcomes/")
    for path in (*lists, *forms, patient, exam, f"{exam}review/"):
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == language
        assert page.evaluate(OUTSIDE) == [], path


def test_the_right_eye_stays_on_the_left_of_the_screen(visit: Visit, graded_exam: Exam, reviewer: User) -> None:
    reviewer.language = "ar"
    reviewer.save()
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    assert page.locator("html").get_attribute("dir") == "rtl"

    def left_of(selector: str) -> Any:
        return page.locator(selector).first.evaluate("(node) => node.getBoundingClientRect().left")

    assert left_of('.pane[data-laterality="OD"]') < left_of('.pane[data-laterality="OS"]')
    assert left_of('.strip-photo[data-laterality="OD"]') < left_of('.strip-photo[data-laterality="OS"]')
    assert left_of(".topbar .brand") > left_of(".topbar .who")
