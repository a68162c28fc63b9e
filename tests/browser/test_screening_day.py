"""A screening day with the released model: photographs, grading, reading, signature, history."""

import re

import pytest
from playwright.sync_api import Page, expect

from screening.models import Exam, Grading, Review, Site, User
from tests.browser.conftest import Visit, choose_photos, synthetic_photo

pytestmark = pytest.mark.browser


def log_in(page: Page, username: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1, name="Worklist")).to_be_visible()


def register(page: Page) -> None:
    page.get_by_role("link", name="Patients", exact=True).first.click()
    page.get_by_role("link", name="Register a patient").first.click()
    entries = {"Family name": "Lovelace", "Given name": "Augusta", "Birth date": "1961-12-10"}
    for label, text in ({"Medical record number": "MRN-7001"} | entries).items():
        page.get_by_label(label).fill(text)
    page.get_by_label("Sex").select_option("F")
    page.get_by_label("Diabetes", exact=True).select_option("2")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lovelace, Augusta")


def photograph(page: Page) -> None:
    """Upload both eyes: one file name has the eye, the other does not."""
    page.get_by_role("button", name="Start an exam").click()
    rows = choose_photos(page, {"visit_OD.jpg": synthetic_photo(4, "OD"), "DSC00417.jpg": synthetic_photo(3, "OS")})
    expect(rows).to_have_count(2)
    expect(rows.nth(0).get_by_label("Right eye (OD)")).to_be_checked()
    expect(rows.nth(1).get_by_text("does not show which eye")).to_be_visible()
    expect(rows.nth(1).get_by_role("button", name="Choose the eye first")).to_be_disabled()
    rows.nth(1).get_by_label("Left eye (OS)").check()
    rows.nth(1).get_by_role("button", name="Confirm: left eye (OS)").click()
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name="Confirm: right eye (OD)").click()
    expect(rows).to_have_count(0)


def read_blind(page: Page) -> None:
    """Grade both eyes before the model's result is displayed."""
    expect(page.get_by_label("Heatmap opacity")).to_have_count(0)
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(0)
    for eye, grade in (("Right eye", "4"), ("Left eye", "3")):
        form = page.get_by_role("group", name=re.compile(f"^{eye} O[DS]"))
        form.get_by_role("radiogroup", name="Grade").get_by_role("radio", name=grade).check()
        form.get_by_role("radiogroup", name="Macular oedema").get_by_role("radio", name="None").check()
    page.get_by_role("button", name="Save my reading").click()
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(2)


COUNT_OPAQUE_PIXELS = """canvas => {
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value > 0).length;
}"""


def move_heatmap_slider(page: Page) -> None:
    """The heatmap of the right eye is painted over its photograph with the opacity of the slider."""
    window = page.get_by_role("group", name=re.compile("^Right eye: plus and minus"))
    heat = window.locator("[data-viewer-heat]")
    expect(heat).to_be_hidden()
    seen = [window.screenshot()]
    page.locator("summary", has_text="Heatmap: layer, opacity").click()
    for opacity in ("30", "90"):
        page.get_by_label("Heatmap opacity").fill(opacity)
        expect(heat).to_be_visible()
        expect(heat).to_have_css("opacity", str(int(opacity) / 100))
        seen.append(window.screenshot())
    assert heat.locator("canvas").evaluate(COUNT_OPAQUE_PIXELS) > 1000
    assert len(set(seen)) == 3
    page.get_by_role("button", name="Heatmap", exact=True).click()
    expect(heat).to_be_hidden()


def test_a_screening_day(visit: Visit, worker: None, site: Site, photographer: User, reviewer: User) -> None:
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    page = visit("/login/")
    log_in(page, photographer.username)
    register(page)
    photograph(page)
    page.evaluate("window.isStillTheSamePage = true")
    expect(page.locator("#eyes .chip")).to_have_text(["Good quality", "Usable with limits"])
    expect(page.locator("#exam-live")).to_have_text(re.compile("^Right eye: .+ Left eye: .+"))
    assert page.evaluate("window.isStillTheSamePage"), "the verdicts came without loading the page again"
    assert "roliferative" not in page.content()
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_text("It is now on the reviewer's worklist.")).to_be_visible()

    desk = visit("/login/")
    log_in(desk, reviewer.username)
    desk.get_by_role("link", name="Read Lovelace, Augusta").click()
    read_blind(desk)
    move_heatmap_slider(desk)
    expect(desk.locator("#outcome-preview")).to_contain_text("If you sign this")
    desk.get_by_role("button", name="Sign", exact=False).click()
    signed = desk.get_by_role("region", name="Signed review")
    expect(signed).to_contain_text("Signed by")
    desk.get_by_role("link", name="History").click()
    review = Review.objects.get()
    history = desk.get_by_role("region", name=re.compile("^Exam of "))
    expect(history).to_contain_text(review.get_outcome_display())
    expect(history).to_contain_text("Proliferative (4)")

    assert Exam.objects.get().status == Exam.Status.SIGNED
    stored = list(Grading.objects.order_by("image__laterality"))
    assert [(row.status, row.n_attempts, row.is_gradable) for row in stored] == [(Grading.Status.DONE, 1, True)] * 2
