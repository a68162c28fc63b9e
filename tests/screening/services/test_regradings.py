"""Re-gradings: each photograph once, also after a crash; earlier gradings and signed results stay."""

import dataclasses
import datetime
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from screening.access import AccessDenied
from screening.models import AuditEvent, Grading, RegradedImage, Regrading, Review, Site, User
from screening.policy.regradings import RegradingAction
from screening.selectors.regradings import changed_exams, grade_changes
from screening.services import regradings
from screening.services.gradings import run_grading
from screening.services.regradings import RegradingRefused, begin_regrading, change_regrading, work_on_regradings
from screening.services.stale_gradings import requeue_stale_gradings
from tests.builders import FAKE_VERSION, FakeGrader
from tests.screening.factories import EyeFindingFactory, FundusImageFactory, GradingFactory, ReviewFactory
from tests.screening.views.pages import count_queries, page_text, text_of, url

OLD = "older-1.0.0+33333333"


@pytest.fixture
def old_gradings(site: Site) -> list[Grading]:
    """Of three photographs: 0, 0 and 2; the model grades 2 now."""
    return [
        GradingFactory(image__exam__patient__site=site, is_done=True, grade=grade, model_version=OLD)
        for grade in (0, 0, 2)
    ]


def begin(site: Site, by: User, **changes: Any) -> Regrading:
    today = timezone.localdate(timezone=site.zone)
    values: dict[str, Any] = {
        "site": site, "model": site.served_model, "from_on": today - datetime.timedelta(days=1), "to_on": today,
        "reason": "a newer model", "regrading_id": uuid.uuid4(), "by": by,
    }  # fmt: skip
    return begin_regrading(**values | changes)


def test_it_is_begun_once_by_a_manager_for_days_with_photographs(
    site: Site, manager: User, reviewer: User, old_gradings: list[Grading]
) -> None:
    with pytest.raises(AccessDenied):
        begin(site, reviewer)
    for changes, problem in (
        ({"reason": " "}, "reason"),
        ({"to_on": datetime.date(2020, 1, 1)}, "before the first"),
        ({"from_on": datetime.date(2020, 1, 1), "to_on": datetime.date(2020, 1, 2)}, "no photograph"),
    ):
        with pytest.raises(RegradingRefused, match=problem):
            begin(site, manager, **changes)
    GradingFactory(is_done=True)  # of another site
    row = begin(site, manager)
    assert begin(site, manager, regrading_id=row.pk) == row
    assert (row.n_images, row.images.count()) == (3, 3)
    with pytest.raises(RegradingRefused, match="is open"):
        begin(site, manager)
    assert AuditEvent.objects.filter(verb=AuditEvent.Verb.REGRADING_BEGUN).count() == 1


@pytest.mark.parametrize("moment", ["between", "within", "after"])
def test_a_killed_worker_leaves_each_photograph_graded_once(
    site: Site, manager: User, old_gradings: list[Grading], fake_grader: FakeGrader,
    monkeypatch: pytest.MonkeyPatch, moment: str,
) -> None:  # fmt: skip
    exam = old_gradings[0].image.exam
    EyeFindingFactory(review=ReviewFactory(exam=exam), grade=0)
    before = list(Review.objects.values())
    row = begin(site, manager)
    n_graded = 0

    def die_at_second() -> None:
        nonlocal n_graded
        n_graded += 1
        if n_graded == 2:
            raise SystemExit

    def run(grading_id: uuid.UUID) -> None:
        if moment == "between":  # the second photograph has its old grading and no new one
            die_at_second()
        run_grading(grading_id=grading_id)
        if moment == "after":  # the second photograph is graded, and its row of the job does not have it
            die_at_second()

    monkeypatch.setattr(regradings, "run_grading", run)
    if moment == "within":
        fake_grader.before_answer = die_at_second
    with pytest.raises(SystemExit):
        work_on_regradings()
    assert row.images.filter(finished_at__isnull=False).count() == 1
    # What the periodic task does with gradings that a crashed worker left.
    for grading in Grading.objects.filter(model_version=FAKE_VERSION, status__in=["queued", "running"]):
        Grading.objects.filter(pk=grading.pk).update(status="queued")
        run_grading(grading_id=grading.pk)
    work_on_regradings()
    row.refresh_from_db()
    assert (row.state, row.images.filter(finished_at__isnull=False).count()) == ("done", 3)
    new = Grading.objects.filter(model_version=FAKE_VERSION)
    assert sorted(new.values_list("image", flat=True)) == sorted(one.image_id for one in old_gradings)
    assert Grading.objects.filter(model_version=OLD).count() == 3
    assert set(RegradedImage.objects.values_list("old_grading__model_version", flat=True)) == {OLD}
    assert grade_changes(row) == [((0, True), (2, True), 2), ((2, True), (2, True), 1)]
    assert list(Review.objects.values()) == before
    work_on_regradings()
    assert len(fake_grader.photos) == (4 if moment == "within" else 3)


def test_a_task_that_runs_twice_grades_each_photograph_once(
    site: Site, manager: User, old_gradings: list[Grading], fake_grader: FakeGrader
) -> None:
    row = begin(site, manager)
    n_of_second_task = []
    fake_grader.before_answer = lambda: n_of_second_task.append(work_on_regradings())
    assert work_on_regradings() == 3
    assert n_of_second_task == [0, 0, 0], "the photograph of the first task is being graded"
    row.refresh_from_db()
    assert (row.state, len(fake_grader.photos), AuditEvent.objects.filter(verb="grading.done").count()) == (
        "done",
        3,
        3,
    )


def test_one_that_was_paused_and_whose_worker_was_killed_goes_on_where_it_was(
    site: Site, manager: User, old_gradings: list[Grading], fake_grader: FakeGrader
) -> None:
    row = begin(site, manager)

    def pause_and_die() -> None:
        change_regrading(regrading=row, action=RegradingAction.PAUSE, by=manager)
        raise SystemExit

    fake_grader.before_answer = pause_and_die
    with pytest.raises(SystemExit):
        work_on_regradings()
    fake_grader.before_answer = lambda: None
    change_regrading(regrading=row, action=RegradingAction.RESUME, by=manager)
    assert work_on_regradings() == 0, "the grading that the worker left is not stale yet"
    assert requeue_stale_gradings(older_than_s=0) == 1
    run_grading(grading_id=Grading.objects.get(status="queued").pk)  # its task
    assert work_on_regradings() == 3
    row.refresh_from_db()
    new = Grading.objects.filter(model_version=FAKE_VERSION, status="done")
    assert (row.state, new.count(), new.values("image").distinct().count()) == ("done", 3, 3)


def test_its_page_shows_the_progress_without_a_reload_until_it_stops(
    client: Client, site: Site, manager: User, old_gradings: list[Grading]
) -> None:
    row = begin(site, manager)
    client.force_login(manager)
    assert url("regrading-status", row.pk) in text_of(client.get(url("regrading", row.pk)))
    headers = {"HX-Request": "true"}
    text = text_of(client.get(url("regrading-status", row.pk), headers=headers))
    assert "0 of 3" in text
    assert "every 5s" in text
    assert "<html" not in text
    work_on_regradings()
    assert client.get(url("regrading-status", row.pk), headers=headers)["HX-Refresh"] == "true"
    text = text_of(client.get(url("regrading-status", row.pk)))
    assert "3 of 3" in text
    assert "every 5s" not in text


def test_it_waits_for_other_photographs_and_can_be_paused_and_cancelled(
    site: Site, manager: User, old_gradings: list[Grading], fake_grader: FakeGrader
) -> None:
    row = begin(site, manager)
    waiting = GradingFactory()
    assert work_on_regradings() == 0
    Grading.objects.filter(pk=waiting.pk).delete()
    fake_grader.before_answer = lambda: Regrading.objects.filter(state="running").update(state="paused")
    assert work_on_regradings() == 1
    assert work_on_regradings() == 0
    change_regrading(regrading=row, action=RegradingAction.RESUME, by=manager)
    with pytest.raises(RegradingRefused, match="meanwhile"):
        change_regrading(regrading=row, action=RegradingAction.RESUME, by=manager)
    change_regrading(regrading=row, action=RegradingAction.CANCEL, by=manager)
    assert work_on_regradings() == 0
    row.refresh_from_db()
    assert (row.state, row.images.filter(finished_at__isnull=False).count()) == ("cancelled", 1)


def test_it_ends_if_its_version_is_not_installed_any_more(
    site: Site, manager: User, old_gradings: list[Grading], fake_grader: FakeGrader
) -> None:
    row = begin(site, manager)
    fake_grader.bundle = dataclasses.replace(fake_grader.bundle, model_version="newer-1.0.0+44444444")
    assert work_on_regradings() == 0
    row.refresh_from_db()
    assert row.state == "failed"


def test_the_report_names_exams_that_the_user_may_see(
    client: Client, site: Site, manager: User, reviewer: User, old_gradings: list[Grading]
) -> None:
    client.force_login(manager)
    page = url("site-regradings", site.pk)
    today = timezone.localdate(timezone=site.zone).isoformat()
    values = {
        "model": "accurate",
        "from_on": "2026-01-01",
        "to_on": today,
        "reason": "x",
        "regrading": str(uuid.uuid4()),
    }
    assert client.post(page, values | {"reason": ""}).status_code == 422
    response = client.post(page, values)
    row = Regrading.objects.get()
    assert response["Location"] == url("regrading", row.pk)
    assert client.post(url("regrading-pause", row.pk)).status_code == 302
    assert "Paused" in page_text(client, "jobs")
    assert client.post(url("regrading-resume", row.pk)).status_code == 302
    work_on_regradings()
    text = page_text(client, "regrading", row.pk)
    mrns = [grading.image.exam.patient.mrn for grading in old_gradings]
    assert [mrn in text for mrn in mrns] == [True, True, False]
    n_queries = count_queries(client, "regrading", row.pk)
    old = GradingFactory(image__exam__patient__site=site, is_done=True, grade=0, model_version=OLD)
    new = GradingFactory(image=old.image, is_done=True, grade=2, model_version=FAKE_VERSION)
    RegradedImage.objects.create(
        regrading=row, image=old.image, old_grading=old, new_grading=new, finished_at=timezone.now()
    )
    assert count_queries(client, "regrading", row.pk) == n_queries <= 18
    assert "4 of 3" in text_of(client.get(page))

    Site.objects.filter(pk=site.pk).update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    reviewer.memberships.create(site=site, role="manager")
    assert not changed_exams(row, user=reviewer).filter(is_revealed=True).exists()
    client.force_login(reviewer)
    text = page_text(client, "regrading", row.pk)
    assert "3 more exams are not named, because you have yet to read them." in text
    assert not any(mrn in text for mrn in mrns)


def test_a_photograph_that_cannot_be_read_does_not_stop_it(
    site: Site, manager: User, old_gradings: list[Grading], fake_grader: FakeGrader
) -> None:
    FundusImageFactory(exam=old_gradings[0].image.exam)  # never graded
    row = begin(site, manager)
    fake_grader.error = OSError("disk")
    work_on_regradings()
    row.refresh_from_db()
    assert row.state == "done"
    assert {(None, None)} == {new for _old, new, _n in grade_changes(row)}
