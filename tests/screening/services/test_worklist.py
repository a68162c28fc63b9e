"""The stored order of the worklist: always that of the policy, after any sequence of events."""

import itertools
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from django.db import connection

from ml.errors import GradingError
from ml.vocabulary import Laterality, QualityLevel
from screening.models import Exam, Grading, Site, User
from screening.policy import WorklistRank, exam_quality, worklist_rank
from screening.services import gradings, worklist
from screening.services.exams import ExamError, FactsMissing, FieldsMissing, mark_eye_absent
from screening.services.gradings import grade_image, retry_grading, run_grading
from screening.services.images import attach_image, change_laterality, withdraw_image
from screening.services.stale_gradings import requeue_stale_gradings
from screening.services.worklist import update_order_of_locked, update_worklist_order
from tests.builders import FakeBundle, FakeGrader, make_prediction, oedema_values, photo_bytes
from tests.screening.eye_states import EYE_STATES, make_exam
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory

EYES = list(Laterality)
CONFIRMED = (FieldsMissing.CODE, FactsMissing.CODE)


Order = tuple[int, str, bool, int | None, float | None]


def expected_order(exam: Exam) -> Order:
    """Rank, quality, suspicion of oedema, worst grade and largest P(referable), by the policy."""
    images = [image for image in exam.images.filter(withdrawn_at=None) if image.gradings.exists()]
    gradings = [max(image.gradings.all(), key=lambda one: one.created_at) for image in images]
    graded_or_pending = {one.image.laterality for one in gradings if one.is_gradable or one.is_pending}
    grades = [one.grade for one in gradings if one.grade is not None]
    good = {(one.image.laterality, one.image.field) for one in gradings if one.quality_level == QualityLevel.GOOD}
    limited = {
        (one.image.laterality, one.image.field)
        for one in gradings
        if one.quality_level == QualityLevel.USABLE and not one.is_referable
    }
    p_referable = [one.p_referable for one in gradings if one.p_referable is not None]
    is_suspected = any(one.suspects_oedema for one in gradings)
    is_ungraded = bool({eye for eye in EYES if not exam.absent_reason(eye)} - graded_or_pending)
    is_pending = any(one.is_pending for one in gradings)
    usable = {(one.image.laterality, one.image.field) for one in gradings if one.quality_level == QualityLevel.USABLE}
    rank = worklist_rank(
        grades=grades,
        is_any_referable=any(one.is_referable for one in gradings),
        is_any_oedema_suspected=is_suspected,
        is_any_eye_ungraded=is_ungraded,
        is_any_pending=is_pending,
        is_any_negative_limited=bool(limited - good),
    )
    quality = exam_quality(
        is_any_eye_ungraded=is_ungraded, is_any_pending=is_pending, is_any_limited=bool(usable - good)
    )
    return rank, quality, is_suspected, max(grades, default=None), max(p_referable, default=None)


def stored_order(exam: Exam) -> Order:
    exam.refresh_from_db()
    return exam.worklist_rank, exam.quality, exam.is_oedema_suspected, exam.worst_grade, exam.max_p_referable


@pytest.mark.parametrize(("right", "left"), list(itertools.combinations_with_replacement(EYE_STATES, 2)))
def test_the_stored_order_is_that_of_the_policy(site: Site, right: str, left: str) -> None:
    exam, mirrored = make_exam(site, right, left), make_exam(site, left, right)
    assert stored_order(exam) == stored_order(mirrored) == expected_order(exam)


@pytest.mark.parametrize(
    ("field", "level", "is_clear"),
    [("macula", "good", True), ("disc", "good", False), ("macula", "usable", False), ("macula", "ungradable", False)],
)
def test_a_limited_negative_is_clear_only_with_a_good_photograph_of_the_same_field(
    site: Site, field: str, level: str, is_clear: bool
) -> None:
    exam = make_exam(site, "grade 0, usable with limits", "grade 0")
    assert not exam.is_clear_negative
    state = {"is_ungradable": True} if level == "ungradable" else {"is_done": True, "grade": 0, "quality_level": level}
    GradingFactory(image=FundusImageFactory(exam=exam, field=field), **state)
    exam.refresh_from_db()
    assert exam.is_clear_negative is is_clear


CLEAR = {"grade 0", "grade 0, no suspicion of oedema"}


@pytest.mark.parametrize("state", [state for state in EYE_STATES if state not in {"absent", *CLEAR}])
def test_only_good_photographs_of_both_eyes_make_a_clear_negative(site: Site, state: str) -> None:
    assert not make_exam(site, state, "grade 0").is_clear_negative
    assert not make_exam(site, "absent", state).is_clear_negative
    assert make_exam(site, "grade 0", "grade 0, no suspicion of oedema").is_clear_negative
    assert make_exam(site, "absent", "grade 0").is_clear_negative
    assert not make_exam(site, "absent", "absent").is_clear_negative


class Clinic:
    """Events that happen to one exam, chosen by a seed. IndexError: there is nothing for the event to happen to."""

    def __init__(self, exam: Exam, user: User, grader: FakeGrader, seed: int) -> None:
        self.exam, self.user, self.grader, self.random, self.n_photos = exam, user, grader, random.Random(seed), 0

    def pick(self, rows: Any) -> Any:
        return self.random.choice(list(rows))

    def attach(self) -> None:
        self.n_photos += 1
        upload = BytesIO(photo_bytes(size=(64, 64), seed=self.n_photos))
        attach_image(exam=self.exam, upload=upload, laterality=self.pick(EYES), by=self.user)

    def withdraw(self) -> None:
        withdraw_image(image=self.pick(self.exam.images.all()), code="poor_quality", by=self.user)

    def move(self) -> None:
        change_laterality(image=self.pick(self.exam.images.all()), laterality=self.pick(EYES), by=self.user)

    def mark_absent(self) -> None:
        mark_eye_absent(exam=self.exam, laterality=self.pick(EYES), reason=self.pick(["", "Prosthesis"]), by=self.user)

    def grade(self) -> None:
        grade = self.pick([None, 0, 0, 1, 2, 4])
        oedema = {} if grade is None else self.pick([{}, {}, oedema_values(0.9), oedema_values(0.1)])
        self.grader.prediction, self.grader.error = make_prediction(grade, **oedema), None
        run_grading(grading_id=self.pick(Grading.objects.filter(status="queued")).pk)

    def fail(self) -> None:
        self.grader.error = GradingError("broken")
        run_grading(grading_id=self.pick(Grading.objects.filter(status="queued")).pk)

    def crash(self) -> None:
        """A worker stops with its grading RUNNING; the third time the grading fails."""
        self.grader.error = WorkerStopped()
        grading = self.pick(Grading.objects.filter(status="queued"))
        for _ in range(self.pick([1, 3])):
            with suppress(WorkerStopped):
                run_grading(grading_id=grading.pk)
            requeue_stale_gradings(older_than_s=0)

    def retry(self) -> None:
        retry_grading(grading=self.pick(Grading.objects.filter(status="failed")), by=self.user)

    def replace_model(self) -> None:
        version = self.pick(["fake-1.0.0+00000000", "fake-2.0.0+11111111"])
        self.grader.bundle = FakeBundle(model_version=version)

    def next(self) -> None:
        photos = [self.attach] if self.exam.images.filter(withdrawn_at=None).count() < 3 else [self.withdraw]
        others = [self.withdraw, self.move, self.mark_absent, self.fail, self.crash, self.retry, self.replace_model]
        with suppress(ExamError, IndexError):
            self.pick([*photos, self.grade, self.grade, *others])()


class WorkerStopped(BaseException):
    pass


@pytest.mark.parametrize("seed", range(8))
def test_the_stored_order_holds_after_any_events(
    site: Site, photographer: User, fake_grader: FakeGrader, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr("screening.services.stale_gradings.has_backlog", lambda: False)
    exam = ExamFactory(patient__site=site)
    clinic = Clinic(exam, photographer, fake_grader, seed)
    for _ in range(60):
        clinic.next()
        assert stored_order(exam) == expected_order(exam)


def test_two_gradings_that_end_at_once_count_each_other(
    site: Site, shared_database: str, fake_grader: FakeGrader, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = ExamFactory(patient__site=site)
    both = [GradingFactory(image=FundusImageFactory(exam=exam, laterality=eye)) for eye in EYES]
    fake_grader.prediction = make_prediction(0)
    both_inside = threading.Barrier(2)
    read = worklist._gradings_of

    def read_together(*exam_and_fields: Any) -> list[Grading]:
        found = read(*exam_and_fields)
        with suppress(threading.BrokenBarrierError):  # the second is not inside: it waits for the lock of the exam
            both_inside.wait(0.3)
        return found

    def run(grading: Grading) -> None:
        run_grading(grading_id=grading.pk)
        connection.close()

    monkeypatch.setattr(worklist, "_gradings_of", read_together)
    threads = [threading.Thread(target=run, args=[grading]) for grading in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stored_order(exam) == expected_order(exam)
    assert exam.worklist_rank == WorklistRank.ROUTINE


def test_two_that_queue_a_grading_at_once_do_not_wait_for_each_other(
    site: Site, photographer: User, shared_database: str, fake_grader: FakeGrader, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = GradingFactory(image__exam__patient__site=site, is_failed=True)
    fake_grader.bundle = FakeBundle(model_version="fake-2.0.0+11111111")
    is_stored, is_over = threading.Event(), threading.Event()

    def update_late(exam: Exam) -> None:
        is_stored.set()
        is_over.wait(0.3)  # the second has as much time to lock the exam
        update_order_of_locked(exam)

    def retry_then() -> Grading:
        is_stored.wait(5)
        return retry_grading(grading=failed, by=photographer)

    def run(queue: Callable[[], Grading]) -> Any:
        try:
            return queue().pk
        finally:
            connection.close()

    monkeypatch.setattr(gradings, "update_order_of_locked", update_late)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(
            run, [lambda: grade_image(image=failed.image, model=None, by=photographer), retry_then]
        )
    assert first == second == Grading.objects.exclude(pk=failed.pk).get().pk


def test_an_update_takes_three_queries_and_two_without_a_change(
    site: Site, django_assert_num_queries: Callable[[int], Any]
) -> None:
    exam = make_exam(site, "grade 2", "waiting")
    for _ in range(3):
        GradingFactory(image=FundusImageFactory(exam=exam), is_done=True)
    Exam.objects.filter(pk=exam.pk).update(worst_grade=4)
    for n_queries in (3, 2):
        with django_assert_num_queries(n_queries):
            update_worklist_order(exam)
    assert stored_order(exam) == expected_order(exam)
