"""Every page: accessibility tree, width of a phone, content security policy."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from screening.models import AuditEvent, Exam, FundusImage, Referral, Site, SiteOutcomeTable, User
from tests.browser.conftest import PHONE, Visit, choose_photos, synthetic_photo
from tests.builders import photo_bytes
from tests.screening.factories import (
    BookingFactory,
    ExamFactory,
    EyeFindingFactory,
    PatientFactory,
    ReferralFactory,
    ReviewFactory,
    VisualAcuityFactory,
)

pytestmark = pytest.mark.browser

CONTROLS = {"button", "link", "textbox", "searchbox", "combobox", "slider", "spinbutton", "radio", "checkbox", "Date"}
NAMED_ROLES = CONTROLS | {"radiogroup", "image", "progressbar", "navigation", "complementary", "region", "toolbar"}
"""Roles that need an accessible name."""
DOCUMENT_PROBLEMS = """() => {
    const problems = [];
    const all = (selector) => [...document.querySelectorAll(selector)];
    const ids = all("[id]").map((node) => node.id);
    for (const id of ids) if (ids.filter((other) => other === id).length > 1) problems.push(`id twice: ${id}`);
    for (const name of ["for", "aria-labelledby", "aria-describedby", "aria-controls"]) {
        for (const node of all(`[${name}]`)) {
            for (const id of node.getAttribute(name).split(" ")) {
                if (!document.getElementById(id)) problems.push(`${name} leads nowhere: ${id}`);
            }
        }
    }
    const levels = all("h1, h2, h3, h4, h5, h6").map((node) => Number(node.tagName[1]));
    if (levels.filter((level) => level === 1).length !== 1) problems.push(`not one h1: ${levels}`);
    if (levels.some((level, i) => i && level > levels[i - 1] + 1)) problems.push(`heading level skipped: ${levels}`);
    if (!document.documentElement.lang) problems.push("no language");
    if (!document.title.trim()) problems.push("no title");
    for (const node of all("img:not([alt])")) problems.push(`picture without alt: ${node.src}`);
    for (const node of all("th:not([scope])")) problems.push(`header cell without scope: ${node.textContent}`);
    for (const node of all("svg:not([aria-hidden]):not([role])")) problems.push(`read aloud: ${node.outerHTML}`);
    for (const node of all("[tabindex]")) if (node.tabIndex > 0) problems.push(`tab order forced: ${node.outerHTML}`);
    return problems;
}"""


PAGES = (
    "/login/", "/", "/patients/", "/patients/new/", "/patients/{patient}/", "/exams/{exam}/", "/exams/{exam}/review/",
    "/try/",
)  # fmt: skip


def nodes_of(page: Page) -> list[dict[str, Any]]:
    """Chromium's accessibility tree without ignored nodes."""
    session = page.context.new_cdp_session(page)
    session.send("Accessibility.enable")
    nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    return [node for node in nodes if not node["ignored"]]


def nameless(nodes: list[dict[str, Any]]) -> list[str]:
    return [
        f"{node['role']['value']} without a name (node {node['backendDOMNodeId']})"
        for node in nodes
        if node["role"]["value"] in NAMED_ROLES and not node.get("name", {}).get("value", "").strip()
    ]


@pytest.fixture
def person(site: Site, photographer: User, reviewer: User) -> User:
    """Photographer and reviewer in one."""
    site.memberships.create(user=reviewer, role="photographer")
    return reviewer


def assert_accessible(page: Page) -> None:
    assert page.evaluate(DOCUMENT_PROBLEMS) == []
    assert nameless(nodes_of(page)) == []


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_and_fits_a_phone(path: str, visit: Visit, graded_exam: Exam, person: User) -> None:
    path = path.format(patient=graded_exam.patient_id, exam=graded_exam.pk)
    page = visit(path, None if path == "/login/" else person)
    assert_accessible(page)
    roles = [node["role"]["value"] for node in nodes_of(page)]
    assert [roles.count(role) for role in ("main", "banner", "contentinfo")] == [1, 1, 1]
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert_fits(page)


@pytest.mark.parametrize("path", ["/patients/", "/due-list/", "/bookings/", "/results/", "/referrals/"])
def test_a_long_name_in_a_list_fits_a_phone(path: str, visit: Visit, site: Site, manager: User) -> None:
    name = "Hohenlohe-Waldenburg-Schillingsfürst" + "x" * 40
    patient = PatientFactory(site=site, family_name=name, due_on=timezone.localdate())
    BookingFactory(patient=patient)
    ReferralFactory(exam__patient=patient)
    page = visit(path, manager, size=PHONE)
    expect(page.get_by_role("table")).to_contain_text(name)
    assert_fits(page)


def test_no_text_covers_another_one_on_a_phone(visit: Visit, site: Site, manager: User) -> None:
    site.memberships.create(user=manager, role="reviewer")
    User.objects.filter(pk=manager.pk).update(language="de", first_name="Maximiliane", last_name="Hohenlohe" * 9)
    ReferralFactory(exam__patient__site=site, exam__patient__family_name="x" * 80)
    page = visit("/referrals/", manager, size=PHONE)
    for cell in page.locator("td.mono, td.is-day").all():
        expect(cell).to_have_css("white-space", "normal")  # a label that is longer than its column covers the value
    boxes = [link.bounding_box() for link in page.locator(".topbar a:visible").all()]
    corners = [(box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]) for box in boxes if box]
    for i, (left, top, right, bottom) in enumerate(corners):
        assert left >= 0
        assert all(left >= c or a >= right or top >= d or b >= bottom for a, b, c, d in corners[:i])
    page.goto("/")
    page.locator(".worklist-tools summary").click()
    menu = page.locator(".worklist-tools .menu-body").bounding_box()
    assert menu
    assert menu["x"] >= 0
    page.goto(f"/patients/{Referral.objects.get().exam.patient_id}/edit/")
    assert_fits(page)


def test_the_table_of_grades_fits_a_phone(visit: Visit, site: Site, manager: User) -> None:
    patient = PatientFactory(site=site)
    for days in (400, 10):
        signed_at = timezone.now() - timedelta(days=days)
        exam = ExamFactory(patient=patient, is_submitted=True, status=Exam.Status.SIGNED.value)
        review = ReviewFactory(exam=exam, signed_at=signed_at)
        for eye in ("OD", "OS"):
            VisualAcuityFactory(exam=exam, laterality=eye)
            EyeFindingFactory(review=review, laterality=eye, grade=2)
    page = visit(f"/patients/{patient.pk}/", manager, size=PHONE)
    page.get_by_text("As a table").click()
    expect(page.get_by_role("table").get_by_text("6/12").first).to_be_visible()
    assert_fits(page)


def test_a_manager_adds_a_rule_previews_it_and_stores_it(visit: Visit, site: Site, manager: User) -> None:
    page = visit(f"/sites/{site.pk}/outcomes/edit/", manager)
    groups = page.get_by_role("group")
    n_groups = groups.count()
    page.get_by_role("button", name="Add a rule").click()
    expect(groups).to_have_count(n_groups + 1)
    added = groups.last
    expect(added).to_be_in_viewport()
    added.get_by_label("Visual acuity").select_option("Visual acuity 6/12 or worse")
    added.get_by_label("Outcome").select_option("Refer to a specialist")
    added.get_by_label("Urgency").select_option("Within 3 to 6 months")
    added.get_by_label("Months").fill("6")
    page.get_by_label("Reason for the change").fill("Reduced acuity is referred here")
    page.get_by_role("button", name="Preview whom this affects").click()
    expect(page.get_by_role("status")).to_contain_text("0 of 0 people")
    assert_accessible(page)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert_fits(page)
    page.get_by_role("button", name="Store as a new version").first.click()
    expect(page.get_by_role("row", name="Visual acuity 6/12 or worse")).to_contain_text("Rule of this site")
    assert_accessible(page)
    assert_fits(page)
    assert SiteOutcomeTable.objects.get().reason == "Reduced acuity is referred here"


def test_the_upload_list_is_accessible_and_fits_a_phone(visit: Visit, open_exam: Exam, person: User) -> None:
    page = visit(f"/exams/{open_exam.pk}/", person, size=PHONE)
    long_name = f"{'a-very-long-name-given-by-a-camera' * 3}_OD.jpg"
    expect(choose_photos(page, {"eye.jpg": photo_bytes(), long_name: b"b"})).to_have_count(2)
    assert_accessible(page)
    assert_fits(page)


def test_these_checks_find_a_control_without_a_name(visit: Visit) -> None:
    page = visit("/login/")
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert len(nameless(nodes_of(page))) == 1


def test_an_injected_script_does_not_run(visit: Visit, problems: list[str]) -> None:
    page = visit("/login/")
    script = "Object.assign(document.createElement('script'), {textContent: 'document.title = `taken over`'})"
    page.evaluate(f"document.body.append({script})")
    expect(page).not_to_have_title("taken over")
    assert ["Content Security Policy" in problem for problem in problems] == [True]
    problems.clear()


def test_one_photograph_is_graded_and_not_stored(visit: Visit, person: User) -> None:
    page = visit("/try/", person)
    photo = synthetic_photo(4, "OD")
    page.get_by_label("Photograph").set_input_files({"name": "eye.jpg", "mimeType": "image/jpeg", "buffer": photo})
    page.get_by_role("button", name="Grade it").click()
    result = page.get_by_role("region", name="Result of the model")
    expect(result).to_contain_text("Probability that this eye needs a specialist")
    heat = page.locator("[data-viewer-heat]")
    expect(heat).to_be_hidden()
    page.get_by_role("button", name="Heatmap", exact=True).click()
    expect(heat).to_be_visible()
    expect(heat).to_have_css("opacity", "0.6")
    assert_accessible(page)
    assert not FundusImage.objects.exists()


def test_a_printed_page_leaves_an_event(visit: Visit, graded_exam: Exam, person: User) -> None:
    page = visit(f"/exams/{graded_exam.pk}/", person)
    with page.expect_response("**/printed/") as reported:
        page.pdf()
    assert reported.value.status == 204
    event = AuditEvent.objects.get(verb=AuditEvent.Verb.PAGE_PRINTED)
    assert (event.actor, event.data["record"]) == (person, str(graded_exam.pk))


def test_the_due_date_is_the_largest_text_of_a_patient(visit: Visit, graded_exam: Exam, person: User) -> None:
    page = visit(f"/patients/{graded_exam.patient_id}/", person)
    sizes = page.locator("main :not(svg *)").evaluate_all(
        "(nodes) => nodes.map((node) => [parseFloat(getComputedStyle(node).fontSize), node.closest('.due') !== null])"
    )
    largest = max(size for size, _is_due in sizes)
    assert {is_due for size, is_due in sizes if size == largest} == {True}
