"""Forms that were sent, and the page that stays: after a download, and after the request was stopped."""

from collections.abc import Iterator
from threading import Event

import pytest
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from playwright.sync_api import expect

from screening.models import Exam, ReadingDraft, Review, Site, User
from tests.browser.conftest import WAIT_MS, Visit
from tests.browser.test_drafts import expect_saved, grade

pytestmark = pytest.mark.browser
STOP = "document.addEventListener('submit', () => setTimeout(() => window.stop(), 500), {once: true})"
"""Playwright evaluates nothing in a page that waits for the next one."""


@pytest.fixture
def exam_with_readings(visit: Visit, graded_exam: Exam, site: Site, reviewer: User) -> Exam:
    """An exam that the reviewer has read for the first time."""
    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    page = visit(f"/exams/{graded_exam.pk}/review/", reviewer)
    grade(page, "0 m ArrowRight 0 m s s")
    expect(page.get_by_role("region", name="Result of the model")).to_have_count(2)
    page.close()
    return graded_exam


def test_a_list_is_exported_in_both_formats(visit: Visit, open_exam: Exam, photographer: User) -> None:
    page = visit("/patients/", photographer)
    for name in ("CSV", "XLSX"):
        expect(page.locator("form.export")).not_to_have_attribute("data-is-sent", "yes")
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        assert download.value.suggested_filename.endswith(name.lower())


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Requests to sign. The first one gets no answer before the test ends: then a refusal."""
    requests: list[str] = []
    respond, is_over = BaseHandler.get_response, Event()

    def hold_first(handler: BaseHandler, request: HttpRequest) -> HttpResponseBase:
        if not request.path.endswith("/sign/"):
            return respond(handler, request)
        requests.append(request.path)
        if len(requests) > 1:
            return respond(handler, request)
        assert is_over.wait(WAIT_MS / 1000)
        return HttpResponse(status=503)

    monkeypatch.setattr(BaseHandler, "get_response", hold_first)
    yield requests
    is_over.set()


def test_a_form_can_be_sent_again_after_its_request_was_stopped(
    signatures: list[str], visit: Visit, exam_with_readings: Exam, reviewer: User
) -> None:
    page = visit(f"/exams/{exam_with_readings.pk}/review/", reviewer)
    sign = page.get_by_role("button", name="Sign")
    page.evaluate(STOP)
    sign.click(no_wait_after=True)
    page.get_by_label("Note").fill("Seen again")
    expect_saved(page)
    assert ReadingDraft.objects.get().entries["note"] == "Seen again"
    sign.click()
    expect(page.get_by_role("region", name="Signed review")).to_contain_text("Seen again")
    assert Review.objects.count() == 1
