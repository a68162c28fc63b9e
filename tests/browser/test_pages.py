"""Every page as assistive technology and a phone meet it, and the policy that keeps foreign code out."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from screening.models import Exam, Site, User
from tests.browser.conftest import PHONE, Visit, chosen_file, drawn_photo
from tests.screening.factories import ExamFactory

pytestmark = pytest.mark.browser

CONTROLS = {"button", "link", "textbox", "searchbox", "combobox", "slider", "spinbutton", "radio", "checkbox", "Date"}
NAMED_ROLES = CONTROLS | {"radiogroup", "image", "progressbar", "navigation", "complementary", "region", "toolbar"}
"""Roles that are useless to a listener without a name."""
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


def address_of(name: str, exam: Exam) -> str:
    return {
        "login": "/login/",
        "worklist": "/",
        "patients": "/patients/",
        "register": "/patients/new/",
        "patient": f"/patients/{exam.patient_id}/",
        "exam": f"/exams/{exam.pk}/",
        "review": f"/exams/{exam.pk}/review/",
        "try": "/try/",
    }[name]


PAGES = ("login", "worklist", "patients", "register", "patient", "exam", "review", "try")


def nodes_of(page: Page) -> list[dict[str, Any]]:
    """What Chromium tells assistive technology, without what it hides from it."""
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
    """Photographer and reviewer in one, to see every page with all that it can offer."""
    site.memberships.create(user=reviewer, role="photographer")
    return reviewer


@pytest.fixture
def exams(read_exam: Exam, person: User) -> dict[str, Exam]:
    """One exam that waits for its reading and one that is being photographed."""
    return {"read": read_exam, "open": ExamFactory(patient=read_exam.patient, opened_by=person)}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_makes_sense_without_being_seen(name: str, visit: Visit, exams: dict[str, Exam], person: User) -> None:
    page = visit(address_of(name, exams["read"]), None if name == "login" else person)
    assert page.evaluate(DOCUMENT_PROBLEMS) == []
    nodes = nodes_of(page)
    assert nameless(nodes) == []
    roles = [node["role"]["value"] for node in nodes]
    assert [roles.count(role) for role in ("main", "banner", "contentinfo")] == [1, 1, 1]


def test_the_upload_box_makes_sense_without_being_seen(visit: Visit, exams: dict[str, Exam], person: User) -> None:
    page = visit(address_of("exam", exams["open"]), person)
    page.get_by_label("Choose photographs").set_input_files([chosen_file("eye.jpg", b"a"), chosen_file("os.jpg", b"b")])
    expect(page.get_by_role("list", name="Photographs to send").get_by_role("listitem")).to_have_count(2)
    assert page.evaluate(DOCUMENT_PROBLEMS) == []
    assert nameless(nodes_of(page)) == []


def test_a_control_without_a_name_does_not_escape_these_checks(visit: Visit) -> None:
    page = visit("/login/")
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert len(nameless(nodes_of(page))) == 1


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone_without_scrolling_sideways(
    name: str, visit: Visit, exams: dict[str, Exam], person: User
) -> None:
    page = visit(address_of(name, exams["read"]), None if name == "login" else person, size=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_the_upload_box_fits_a_phone_without_scrolling_sideways(
    visit: Visit, exams: dict[str, Exam], person: User
) -> None:
    page = visit(address_of("exam", exams["open"]), person, size=PHONE)
    name = f"{'a-very-long-name-given-by-a-camera' * 3}_OD.jpg"
    page.get_by_label("Choose photographs").set_input_files([chosen_file(name, b"a")])
    expect(page.get_by_role("button", name="Confirm")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_a_script_that_was_slipped_into_a_page_does_not_run(visit: Visit, complaints: list[str]) -> None:
    page = visit("/login/")
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "document.title = 'taken over'";
            document.body.append(script);
        }"""
    )
    expect(page).not_to_have_title("taken over")
    assert ["Content Security Policy" in said for said in complaints] == [True]
    complaints.clear()


def test_a_photograph_can_be_tried_and_leaves_nothing_behind(
    visit: Visit, exams: dict[str, Exam], person: User
) -> None:
    page = visit("/try/", person)
    page.get_by_label("Photograph").set_input_files([chosen_file("eye.jpg", drawn_photo(4, "OD"))])
    page.get_by_role("button", name="Read it").click()
    says = page.get_by_role("region", name="Result of the model")
    expect(says).to_contain_text("Chance that this eye needs a specialist")
    heat = page.locator("[data-viewer-heat]")
    expect(heat).to_be_hidden()
    page.get_by_role("button", name="Heatmap", exact=True).click()
    expect(heat).to_be_visible()
    expect(heat).to_have_css("opacity", "0.6")
    assert page.evaluate(DOCUMENT_PROBLEMS) == []
    assert nameless(nodes_of(page)) == []
    assert exams["open"].images.count() == 0
