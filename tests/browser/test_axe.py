"""axe-core finds no serious violation on the pages of the application, in light and dark colours."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from screening.models import Exam, Site, User
from tests.browser.conftest import Visit
from tests.screening.factories import ReviewFactory

pytestmark = pytest.mark.browser

PAGES = (
    "/", "/patients/", "/patients/new/", "/patients/{patient}/", "/patients/{patient}/edit/", "/exams/{exam}/",
    "/exams/{exam}/review/", "/try/", "/password/", "/no-such-page/",
)  # fmt: skip


def violations(page: Page, scheme: str) -> list[str]:
    """Serious and critical violations of the open page, with the first element of each."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # "light" or "dark"
    found = Axe().run(page).response["violations"]
    return [
        f"{scheme} {page.url}: {one['id']} {one['nodes'][0]['html'][:200]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


def test_no_page_has_a_serious_violation(
    visit: Visit, graded_exam: Exam, site: Site, reviewer: User, problems: list[str]
) -> None:
    site.memberships.create(user=reviewer, role="photographer")
    ReviewFactory(exam__patient=graded_exam.patient)
    found = violations(visit("/login/"), "light")
    page = visit("/", reviewer)
    for path in PAGES:
        page.goto(path.format(patient=graded_exam.patient_id, exam=graded_exam.pk))
        page.wait_for_load_state("networkidle")
        for scheme in ("light", "dark"):
            found += violations(page, scheme)
    problems.clear()  # the page that does not exist
    assert found == []
