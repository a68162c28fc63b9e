"""Interactive before bulk, site after site, each photograph once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ml.errors import DecoderUnavailable
from screening import tasks
from screening.models import Exam, Grading, Site
from screening.services import grading_queue, gradings
from tests.builders import FakeGrader
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory, SiteFactory

Status = Grading.Status


def queue(site: Site, n: int, **values: Any) -> list[Grading]:
    """Photographs of one exam of a site that wait, the first since longest."""
    exam = ExamFactory(patient__site=site)
    return [add(exam, seconds=n - number, **values) for number in range(n)]


def add(exam: Exam, *, seconds: int = 0, **values: Any) -> Grading:
    at = timezone.now() - timedelta(seconds=seconds)
    return GradingFactory(image=FundusImageFactory(exam=exam), queued_at=at, **values)


def work(n: int) -> list[Grading]:
    """What ``n`` messages grade, in order."""
    done = set(Grading.objects.filter(status=Status.DONE).values_list("pk", flat=True))
    for _ in range(n):
        tasks.grade_next()
    return list(Grading.objects.filter(status=Status.DONE).exclude(pk__in=done).order_by("finished_at"))


def test_an_exam_comes_before_a_bulk_of_another_site(site: Site, other_site: Site) -> None:
    bulk = queue(other_site, 30, is_bulk=True)
    assert work(2) == bulk[:2]
    exam = queue(site, 4)
    assert work(5) == [*exam, bulk[2]]


def test_an_exam_comes_before_a_bulk_of_its_own_site(site: Site) -> None:
    bulk, exam = queue(site, 3, is_bulk=True), queue(site, 2)
    assert work(5) == [*exam, *bulk]


@pytest.mark.parametrize("is_bulk", [False, True])
def test_the_sites_alternate(site: Site, other_site: Site, is_bulk: bool) -> None:
    many = queue(other_site, 30, is_bulk=is_bulk)
    assert work(3) == many[:3]
    few = queue(site, 3, is_bulk=is_bulk)
    assert work(6) == [few[0], many[3], few[1], many[4], few[2], many[5]]


def test_a_photograph_waits_for_one_of_each_other_site_at_most(site: Site, other_site: Site) -> None:
    third = SiteFactory()
    queue(other_site, 10)
    queue(third, 10)
    work(4)
    for _ in range(3):  # each time, the photographs of the others are older
        (mine,) = queue(site, 1)
        assert mine in work(3)


def test_a_grading_without_a_message_is_left_to_the_periodic_task(site: Site) -> None:
    unsent, sent = queue(site, 2)
    Grading.objects.filter(pk=unsent.pk).update(published_at=None)
    assert work(2) == [sent]


def test_what_another_worker_claimed_meanwhile_is_passed_over(
    site: Site, fake_grader: FakeGrader, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = queue(site, 2)
    read = grading_queue.lock_next

    def be_late() -> Grading | None:
        found = read()
        if found == first:
            Grading.objects.filter(pk=first.pk).update(status=Status.RUNNING, n_attempts=1)
        return found

    monkeypatch.setattr(grading_queue, "lock_next", be_late)
    assert work(1) == [second]
    first.refresh_from_db()
    assert (first.status, len(fake_grader.photos)) == (Status.RUNNING, 1)


def test_a_second_attempt_is_not_claimed_by_who_read_the_first(site: Site) -> None:
    (as_read,) = queue(site, 1)
    Grading.objects.filter(pk=as_read.pk).update(n_attempts=1)
    assert not grading_queue.claim(as_read)
    as_read.refresh_from_db()
    assert (as_read.status, as_read.started_at) == (Status.QUEUED, None)


def test_a_failure_counts_as_a_claim_of_its_site(site: Site, other_site: Site, fake_grader: FakeGrader) -> None:
    (mine,), (other,) = queue(site, 1), queue(other_site, 1)
    queue(other_site, 1, is_done=True, started_at=timezone.now())
    fake_grader.error = ValueError()
    work(1)
    fake_grader.error = None
    queue(site, 1)
    assert work(1) == [other]
    mine.refresh_from_db()
    assert mine.status == Status.FAILED


def test_a_grading_that_is_put_back_counts_as_a_claim_of_its_site(
    site: Site, other_site: Site, fake_grader: FakeGrader
) -> None:
    queue(other_site, 1, is_done=True, started_at=timezone.now() - timedelta(hours=1))
    queue(site, 2)
    (other,) = queue(other_site, 1)
    fake_grader.error = DecoderUnavailable()
    work(1)
    fake_grader.error = None
    assert work(1) == [other]


def n_queries_of_the_next() -> int:
    with CaptureQueriesContext(connection) as queries:
        assert grading_queue.lock_next() is not None
    return len(queries)


def test_the_order_costs_one_query_and_three_for_bulk(site: Site, other_site: Site) -> None:
    for n in (1, 20):
        queue(site, n)
        queue(other_site, n)
        assert n_queries_of_the_next() == 1
    Grading.objects.update(is_bulk=True)
    assert n_queries_of_the_next() == 3


def test_a_worker_passes_over_what_others_are_claiming(shared_database: str, site: Site, other_site: Site) -> None:
    if not connection.features.has_select_for_update_skip_locked:
        pytest.skip("the database has no locks of rows")
    waiting = {*queue(site, 2), *queue(other_site, 1), *queue(site, 1, is_bulk=True)}
    all_have_one = threading.Barrier(5, timeout=60)

    def worker() -> Grading | None:
        with transaction.atomic():
            found = grading_queue.lock_next()
            all_have_one.wait()
        connections.close_all()
        return found

    with ThreadPoolExecutor(5) as pool:
        found = [pool.submit(worker) for _ in range(5)]
        assert {one.result() for one in found} == {*waiting, None}


def test_parallel_workers_grade_each_once_and_share_the_sites(shared_database: str, fake_grader: FakeGrader) -> None:
    sites = [SiteFactory() for _ in range(3)]
    for site in sites:
        queue(site, 6)
    together = threading.Barrier(4, timeout=60)
    started: list[Any] = []
    fake_grader.before_answer = lambda: started.append(None)

    def worker() -> None:
        together.wait()
        for _ in range(6):  # 24 messages for 18 photographs: some are delivered twice
            gradings.run_next()
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(worker) for _ in range(4)]:
            future.result()
    assert len(started) == 18
    rows = Grading.objects.order_by("started_at").values_list("status", "n_attempts", "queue_site")
    assert {(status, n) for status, n, _site in rows} == {(Status.DONE, 1)}
    # Claims at one moment may be of one site. But of nine claims by four workers, three are of one worker, and it saw
    # before each of them which sites were served.
    assert {site for _status, _n, site in list(rows)[:9]} == {site.pk for site in sites}
