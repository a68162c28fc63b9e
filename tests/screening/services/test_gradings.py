"""A photograph is graded once, though messages are repeated or lost and workers, storage or broker fail."""

import logging
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from django.utils import timezone
from kombu.exceptions import OperationalError

from ml.errors import GradingError
from ml.prediction import Measurements
from ml.vocabulary import QualityLevel
from screening import tasks
from screening.access import AccessDenied
from screening.models import AuditEvent, FundusImage, Grading, User
from screening.services import grading_queue, gradings, stale_gradings
from screening.services.gradings import GradingNotFailed, queue_grading, retry_grading
from tests.builders import FAKE_VERSION, FakeBundle, FakeGrader, make_prediction, oedema_values
from tests.screening.factories import GradingFactory
from tests.screening.services.conftest import age

Status = Grading.Status
Verb = AuditEvent.Verb
NEW_VERSION = "fake-2.0.0+11111111"


def n_events(verb: AuditEvent.Verb) -> int:
    return AuditEvent.objects.filter(verb=verb).count()


def run(grading: Grading) -> Grading:
    tasks.grade_next()
    grading.refresh_from_db()
    return grading


def test_a_task_delivered_twice_grades_once(queued: Grading, fake_grader: FakeGrader) -> None:
    run(queued)
    run(queued)
    assert (queued.status, queued.n_attempts, queued.grade) == (Status.DONE, 1, 2)
    assert (len(fake_grader.photos), n_events(Verb.GRADING_DONE)) == (1, 1)


def test_a_task_delivered_while_the_first_runs_grades_once(queued: Grading, fake_grader: FakeGrader) -> None:
    fake_grader.before_answer = tasks.grade_next
    run(queued)
    assert (queued.status, queued.n_attempts, len(fake_grader.photos)) == (Status.DONE, 1, 1)


@pytest.mark.django_db
def test_a_task_does_nothing_if_no_photograph_waits(fake_grader: FakeGrader) -> None:
    tasks.grade_next()
    assert fake_grader.photos == []


def test_a_lost_claim_does_not_overwrite_the_next_attempt(queued: Grading, fake_grader: FakeGrader) -> None:
    again = Grading.objects.filter(pk=queued.pk)
    fake_grader.before_answer = lambda: again.update(status=Status.RUNNING, n_attempts=2)
    run(queued)
    assert (queued.status, queued.n_attempts, queued.grade) == (Status.RUNNING, 2, None)
    assert n_events(Verb.GRADING_DONE) == 0


def test_the_whole_prediction_is_stored(queued: Grading, fake_grader: FakeGrader) -> None:
    measured = Measurements(brightness=140.0, redness=0.4, focus=None, field_size=0.9)
    fake_grader.prediction = make_prediction(3, measurements=measured)
    run(queued)
    assert (queued.brightness, queued.redness, queued.focus, queued.field_size) == (140.0, 0.4, None, 0.9)
    assert (queued.is_gradable, queued.p_gradable, queued.grade, queued.is_referable) == (True, 0.98, 3, True)
    assert queued.probabilities == [0.05, 0.05, 0.05, 0.8, 0.05]
    assert queued.p_referable == pytest.approx(0.9)
    assert queued.operating_point == 0.5
    assert queued.heatmap is not None
    assert (len(queued.heatmap), len(queued.heatmap[0]), queued.heatmap[0][0], queued.heatmap[6][6]) == (7, 7, 0, 1)
    assert queued.heatmap_box == [0.1, 0.0, 0.9, 1.0]
    assert None not in {queued.finished_at, queued.duration_ms}


@pytest.mark.parametrize(("p", "is_suspected"), [(0.9, True), (0.4, True), (0.1, False)])
def test_macular_oedema_is_stored(queued: Grading, fake_grader: FakeGrader, p: float, is_suspected: bool) -> None:
    fake_grader.prediction = make_prediction(0, **oedema_values(p))
    run(queued)
    assert (queued.p_macular_oedema, queued.suspects_oedema, queued.oedema_operating_point) == (p, is_suspected, 0.4)
    assert queued.oedema_heatmap is not None
    assert (queued.oedema_heatmap[0][6], queued.oedema_heatmap[0][0]) == (1, 0)
    event = AuditEvent.objects.get(verb=Verb.GRADING_DONE)
    assert set(event.data) == {"image", "model_version", "attempt"}  # neither grade nor oedema


@pytest.mark.parametrize(("values", "point"), [({}, None), (oedema_values(None), 0.4)])
def test_oedema_that_is_not_assessed_is_stored_as_nothing(
    queued: Grading, fake_grader: FakeGrader, values: dict[str, Any], point: float | None
) -> None:
    fake_grader.prediction = make_prediction(0, **values)
    run(queued)
    assert (queued.status, queued.grade, queued.oedema_operating_point) == (Status.DONE, 0, point)
    assert (queued.p_macular_oedema, queued.suspects_oedema, queued.oedema_heatmap) == (None, None, None)


def test_a_limited_negative_is_stored_as_such(queued: Grading, fake_grader: FakeGrader) -> None:
    fake_grader.prediction = make_prediction(0, quality_level=QualityLevel.USABLE, quality_reasons=("blurred",))
    run(queued)
    assert (queued.is_gradable, queued.quality_level, queued.quality_reasons) == (True, "usable", ["blurred"])
    assert queued.is_limited_negative


def test_an_ungradable_photograph_is_a_result_without_a_grade(queued: Grading, fake_grader: FakeGrader) -> None:
    fake_grader.prediction = make_prediction(None)
    run(queued)
    assert (queued.status, queued.is_gradable, queued.quality_level) == (Status.DONE, False, "ungradable")
    assert queued.quality_reasons == ["blurred"]
    assert (queued.grade, queued.probabilities, queued.heatmap) == (None, None, None)
    assert (queued.p_referable, queued.is_referable) == (None, None)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GradingError("broken"), "unreadable"),
        (FileNotFoundError("photos/ab/x.jpg"), "file_missing"),
        (SoftTimeLimitExceeded(), "time_limit"),
        (ValueError("Byron, Ada"), "unexpected"),
        (MemoryError(), "unexpected"),
    ],
)
def test_a_failure_is_visible_and_never_a_grade(
    queued: Grading, fake_grader: FakeGrader, error: Exception, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    fake_grader.error = error
    with caplog.at_level(logging.INFO):
        run(queued)
    assert (queued.status, queued.failure_code) == (Status.FAILED, code)
    assert queued.failure_text.endswith(".")
    assert (queued.grade, queued.p_referable, queued.is_referable, queued.is_gradable) == (None, None, None, None)
    assert n_events(Verb.GRADING_FAILED) == 1
    assert str(queued.pk) in caplog.messages[-1]
    assert not any("Byron" in message for message in caplog.messages)


@pytest.mark.parametrize("days", [-1, 1])
def test_a_claim_does_not_depend_on_the_clock_of_the_worker(
    queued: Grading, fake_grader: FakeGrader, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    real = timezone.now

    def requeue_stale() -> None:
        with pytest.MonkeyPatch.context() as of_this_worker:
            of_this_worker.setattr("django.utils.timezone.now", real)
            assert stale_gradings.requeue_stale_gradings() == 0

    fake_grader.before_answer = requeue_stale
    monkeypatch.setattr("django.utils.timezone.now", lambda: real() + timedelta(days=days))
    assert stale_gradings.requeue_stale_gradings() == 0
    run(queued)
    assert queued.status == Status.DONE
    assert queued.started_at is not None
    assert queued.finished_at is not None
    assert abs(queued.started_at - real()) < timedelta(minutes=1)
    assert abs(queued.finished_at - real()) < timedelta(minutes=1)


@pytest.fixture(params=[PermissionError("/data/media"), ConnectionError("storage.example.org:443")])
def broken_storage(request: pytest.FixtureRequest) -> Iterator[pytest.MonkeyPatch]:
    """Reading a stored photograph raises an error; ``undo`` ends that."""

    def refuse(*_args: Any) -> None:
        raise request.param

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.core.files.storage.FileSystemStorage._open", refuse)
        yield patch


def test_a_grading_waits_while_the_storage_is_unavailable(
    queued: Grading,
    broken_storage: pytest.MonkeyPatch,
    published: list[uuid.UUID],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr("screening.services.stale_gradings.has_backlog", lambda: False)
    run(queued)
    assert (queued.status, queued.n_attempts, queued.started_at is None) == (Status.QUEUED, 1, False)
    assert stale_gradings.requeue_stale_gradings() == 0, "not at once: the storage needs time"
    assert run(queued).n_attempts == 1, "the message of another photograph is not used up by it"
    age(queued, queued_at=100)
    with django_capture_on_commit_callbacks(execute=True):
        assert stale_gradings.requeue_stale_gradings() == 1
    assert published == [queued.pk]
    broken_storage.undo()
    assert (run(queued).status, queued.n_attempts) == (Status.DONE, 2)


@pytest.mark.usefixtures("broken_storage")
def test_the_third_attempt_without_the_storage_fails(queued: Grading, fake_grader: FakeGrader) -> None:
    for _ in range(gradings.MAX_ATTEMPTS + 1):
        gradings.run_grading(grading_id=queued.pk)
    queued.refresh_from_db()
    assert (queued.status, queued.failure_code, queued.n_attempts) == (Status.FAILED, "storage_unavailable", 3)
    assert "Try again" in queued.failure_text
    assert (fake_grader.photos, n_events(Verb.GRADING_FAILED)) == ([], 1)


def test_a_grading_of_a_replaced_model_ends_and_the_new_one_is_queued(queued: Grading, fake_grader: FakeGrader) -> None:
    fake_grader.bundle = FakeBundle(model_version=NEW_VERSION)
    assert (run(queued).status, queued.failure_code) == (Status.FAILED, "model_changed")
    newer = Grading.objects.get(model_version=NEW_VERSION)
    assert (newer.image_id, newer.status) == (queued.image_id, Status.QUEUED)


def test_queueing_twice_returns_the_first_grading(
    image: FundusImage, photographer: User, published: list[uuid.UUID], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first, second = (queue_grading(image=image, by=photographer) for _ in range(2))
    assert (first, first.model_version, published) == (second, FAKE_VERSION, [first.pk])
    assert n_events(Verb.GRADING_QUEUED) == 1


def test_the_message_names_no_photograph(queued: Grading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    sent: list[tuple[Any, Any]] = []
    monkeypatch.setattr("celery.current_app.send_task", lambda name, **options: sent.append((name, options)))
    grading_queue.publish(queued)
    assert sent == [(tasks.grade_next.name, {"retry": False})]
    queued.refresh_from_db()
    assert (queued.status, queued.is_delayed) == (Status.QUEUED, False)


def test_a_grading_is_delayed_while_the_broker_is_unavailable(
    queued: Grading, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.undo()

    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("redis://:password@broker")

    monkeypatch.setattr("celery.current_app.send_task", refuse)
    grading_queue.publish(queued)
    queued.refresh_from_db()
    assert (queued.status, queued.is_delayed) == (Status.QUEUED, True)
    assert str(queued.pk) in caplog.text
    assert "password" not in caplog.text


def test_a_failed_grading_can_be_retried(
    image: FundusImage, photographer: User, published: list[uuid.UUID], django_capture_on_commit_callbacks: Any
) -> None:
    failed = GradingFactory(image=image, is_failed=True, n_attempts=3)
    with django_capture_on_commit_callbacks(execute=True):
        again = retry_grading(grading=failed, by=photographer)
    assert (again.pk, again.status, again.n_attempts, again.failure_code) == (failed.pk, Status.QUEUED, 0, "")
    assert published == [failed.pk]
    assert (run(again).status, again.failure_text) == (Status.DONE, "")


def test_a_retry_after_the_model_was_replaced_queues_the_new_one(
    image: FundusImage, photographer: User, fake_grader: FakeGrader
) -> None:
    failed = GradingFactory(image=image, is_failed=True)
    fake_grader.bundle = FakeBundle(model_version=NEW_VERSION)
    again = retry_grading(grading=failed, by=photographer)
    failed.refresh_from_db()
    assert (again.model_version, again.status, failed.status) == (NEW_VERSION, Status.QUEUED, Status.FAILED)


@pytest.mark.parametrize("trait", [{}, {"is_done": True}])
def test_only_a_failed_grading_can_be_retried(image: FundusImage, photographer: User, trait: dict[str, bool]) -> None:
    with pytest.raises(GradingNotFailed, match="not failed"):
        retry_grading(grading=GradingFactory(image=image, **trait), by=photographer)


def test_an_outsider_cannot_retry(image: FundusImage, outsider: User) -> None:
    with pytest.raises(AccessDenied):
        retry_grading(grading=GradingFactory(image=image, is_failed=True), by=outsider)
    assert n_events(Verb.GRADING_RETRIED) == 0
