"""A re-grading on its page: its worker is killed half-way, it is resumed, and each photograph is graded once."""

import uuid

import pytest
from playwright.sync_api import expect

from screening.models import Exam, FundusImage, Grading, Site, User
from screening.services import regradings
from screening.services.gradings import run_grading
from screening.services.regradings import work_on_regradings
from tests.browser.conftest import Visit
from tests.builders import FAKE_VERSION
from tests.screening.services.test_regradings import begin
from tests.screening.views.pages import url

pytestmark = pytest.mark.browser


def test_a_regrading_is_stopped_half_way_and_resumed(
    visit: Visit, site: Site, graded_exam: Exam, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = begin(site, manager)
    page = visit(url("regrading", row.pk), manager)
    expect(page.get_by_text("0 of 2")).to_be_visible()

    graded: list[uuid.UUID] = []

    def run_the_first(grading_id: uuid.UUID) -> None:
        if graded:
            raise SystemExit  # as when the process is killed
        run_grading(grading_id=grading_id)
        graded.append(grading_id)

    with monkeypatch.context() as killed:
        killed.setattr(regradings, "run_grading", run_the_first)
        with pytest.raises(SystemExit):
            work_on_regradings()
    expect(page.get_by_text("1 of 2")).to_be_visible()  # without a reload

    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert work_on_regradings() == 0
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    # What the periodic task does with the grading that the killed worker left.
    for left in Grading.objects.filter(status__in=["queued", "running"]):
        Grading.objects.filter(pk=left.pk).update(status="queued")
        run_grading(grading_id=left.pk)
    work_on_regradings()
    expect(page.get_by_text("2 of 2").first).to_be_visible()
    new = Grading.objects.exclude(model_version=FAKE_VERSION).filter(status="done")
    assert sorted(new.values_list("image", flat=True)) == sorted(FundusImage.objects.values_list("pk", flat=True))
    assert Grading.objects.filter(model_version=FAKE_VERSION, status="done").count() == 2
