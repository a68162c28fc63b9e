"""A photograph is graded once, whatever is delivered twice, lost, killed or failing on the way."""

import logging
import uuid
from datetime import timedelta
from typing import Any

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from django.utils import timezone
from kombu.exceptions import OperationalError

from ml.errors import GradingError
from screening import tasks
from screening.access import AccessDenied
from screening.models import AuditEvent, FundusImage, Grading, Site, User
from screening.services import gradings, inference, stale_gradings
from screening.services.gradings import GradingNotFailed
from screening.services.predictions import predict_photo
from tests.builders import FAKE_VERSION, FakeBundle, FakeGrader, make_prediction, photo_bytes
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory

Status = Grading.Status
Verb = AuditEvent.Verb


@pytest.fixture
def image(site: Site) -> FundusImage:
    return FundusImageFactory(exam=ExamFactory(patient__site=site))


@pytest.fixture
def waiting(image: FundusImage) -> Grading:
    return GradingFactory(image=image)


def n_events(verb: AuditEvent.Verb) -> int:
    return AuditEvent.objects.filter(verb=verb).count()


def age(grading: Grading, **times: int) -> Grading:
    """Move times of the row so many seconds into the past."""
    for name, seconds in times.items():
        setattr(grading, name, timezone.now() - timedelta(seconds=seconds))
    grading.save()
    return grading


def test_a_task_delivered_twice_grades_once(waiting: Grading, fake_grader: FakeGrader) -> None:
    for _ in range(2):
        tasks.grade_image(str(waiting.pk))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.n_attempts, waiting.grade) == (Status.DONE, 1, 2)
    assert len(fake_grader.photos) == 1
    assert n_events(Verb.GRADING_DONE) == 1


def test_while_the_storage_is_away_a_grading_waits_and_is_taken_up_again(
    waiting: Grading,
    fake_grader: FakeGrader,
    published: list[uuid.UUID],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def refuse(*_args: Any) -> None:
        raise ConnectionError("storage.example.org:443")

    # What waits at the broker, which other tests share, is not asked here.
    monkeypatch.setattr("screening.services.stale_gradings.has_backlog", lambda: False)
    with monkeypatch.context() as patch:
        patch.setattr("django.core.files.storage.FileSystemStorage._open", refuse)
        tasks.grade_image(str(waiting.pk))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.n_attempts, waiting.started_at) == (Status.QUEUED, 1, None)
    assert stale_gradings.requeue_stale_gradings() == 0, "it would hammer a storage that is unavailable"
    age(waiting, queued_at=100)
    with django_capture_on_commit_callbacks(execute=True):
        assert stale_gradings.requeue_stale_gradings() == 1
    assert published == [waiting.pk]
    tasks.grade_image(str(waiting.pk))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.n_attempts) == (Status.DONE, 2)


def test_a_storage_that_stays_away_fails_visibly_at_the_third_time(
    waiting: Grading, fake_grader: FakeGrader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any) -> None:
        raise PermissionError("/data/media")

    monkeypatch.setattr("django.core.files.storage.FileSystemStorage._open", refuse)
    for _ in range(gradings.MAX_RETRIES + 1):
        tasks.grade_image(str(waiting.pk))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.failure_code, waiting.n_attempts) == (Status.FAILED, "storage_unavailable", 3)
    assert "/data" not in waiting.failure_text
    assert "Try again" in waiting.failure_text
    assert n_events(Verb.GRADING_FAILED) == 1
    assert not fake_grader.photos


def test_a_task_delivered_again_while_the_first_runs_leaves(waiting: Grading, fake_grader: FakeGrader) -> None:
    fake_grader.before_answer = lambda: tasks.grade_image(str(waiting.pk))
    tasks.grade_image(str(waiting.pk))
    waiting.refresh_from_db()
    assert (waiting.status, waiting.n_attempts, len(fake_grader.photos)) == (Status.DONE, 1, 1)


@pytest.mark.django_db
def test_a_task_for_a_grading_that_is_not_there_leaves(fake_grader: FakeGrader) -> None:
    tasks.grade_image(str(uuid.uuid4()))
    assert fake_grader.photos == []


def test_everything_the_machine_said_is_stored(waiting: Grading, fake_grader: FakeGrader) -> None:
    fake_grader.prediction = make_prediction(3)
    gradings.run_grading(grading_id=waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.is_gradable, waiting.p_gradable, waiting.grade, waiting.is_referable) == (True, 0.98, 3, True)
    assert waiting.probabilities == [0.05, 0.05, 0.05, 0.8, 0.05]
    assert waiting.p_referable == pytest.approx(0.9)
    assert waiting.operating_point == 0.5
    assert waiting.heatmap is not None
    assert (len(waiting.heatmap), len(waiting.heatmap[0]), waiting.heatmap[0][0], waiting.heatmap[6][6]) == (7, 7, 0, 1)
    assert waiting.heatmap_box == [0.1, 0.0, 0.9, 1.0]
    assert waiting.finished_at is not None
    assert waiting.duration_ms is not None


def test_an_ungradable_photograph_is_a_result_without_a_grade(waiting: Grading, fake_grader: FakeGrader) -> None:
    fake_grader.prediction = make_prediction(None)
    gradings.run_grading(grading_id=waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.is_gradable, waiting.quality_reasons) == (Status.DONE, False, ["blurred"])
    assert (waiting.grade, waiting.probabilities, waiting.p_referable, waiting.heatmap) == (None, None, None, None)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GradingError("broken"), "unreadable"),
        (FileNotFoundError("photos/ab/x.jpg"), "file_missing"),
        (SoftTimeLimitExceeded(), "time_limit"),
        (ValueError("The hash of model.onnx does not match"), "unexpected"),
        (MemoryError(), "unexpected"),
    ],
)
def test_a_failure_is_visible_and_never_a_plausible_grade(
    waiting: Grading, fake_grader: FakeGrader, error: Exception, code: str
) -> None:
    fake_grader.error = error
    gradings.run_grading(grading_id=waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.failure_code) == (Status.FAILED, code)
    assert waiting.failure_text.endswith(".")
    assert (waiting.grade, waiting.p_referable, waiting.is_referable, waiting.is_gradable) == (None, None, None, None)
    assert n_events(Verb.GRADING_FAILED) == 1


def test_missing_weights_fail_the_grading(waiting: Grading, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise FileNotFoundError("model.onnx")

    monkeypatch.setattr(inference, "current_grader", refuse)
    gradings.run_grading(grading_id=waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.grade) == (Status.FAILED, None)


def test_an_unexpected_error_is_logged_without_its_words(
    waiting: Grading, fake_grader: FakeGrader, caplog: pytest.LogCaptureFixture
) -> None:
    fake_grader.error = ValueError("Byron, Ada")
    with caplog.at_level(logging.INFO):
        gradings.run_grading(grading_id=waiting.pk)
    assert str(waiting.pk) in caplog.messages[-1]
    assert not any("Byron" in message for message in caplog.messages)


def test_a_worker_that_was_given_up_does_not_overwrite_the_next_one(waiting: Grading, fake_grader: FakeGrader) -> None:
    def be_swept_and_taken_over() -> None:
        Grading.objects.filter(pk=waiting.pk).update(status=Status.RUNNING, n_attempts=2)

    fake_grader.before_answer = be_swept_and_taken_over
    gradings.run_grading(grading_id=waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.n_attempts, waiting.grade) == (Status.RUNNING, 2, None)
    assert n_events(Verb.GRADING_DONE) == 0


def test_a_grading_of_a_replaced_model_ends_and_the_new_one_is_queued(
    waiting: Grading, fake_grader: FakeGrader
) -> None:
    fake_grader.bundle = FakeBundle(model_version="fake-2.0.0+11111111")
    gradings.run_grading(grading_id=waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.failure_code) == (Status.FAILED, "model_changed")
    newer = Grading.objects.get(model_version="fake-2.0.0+11111111")
    assert (newer.image_id, newer.status) == (waiting.image_id, Status.QUEUED)


def test_queueing_twice_gives_the_first_grading_back(
    image: FundusImage, photographer: User, published: list[uuid.UUID], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first = gradings.queue_grading(image=image, by=photographer)
        second = gradings.queue_grading(image=image, by=photographer)
    assert first == second
    assert first.model_version == FAKE_VERSION
    assert published == [first.pk]
    assert n_events(Verb.GRADING_QUEUED) == 1


def test_a_broker_that_is_away_leaves_the_grading_queued(
    waiting: Grading, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.undo()

    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("redis://:password@broker")

    monkeypatch.setattr("celery.current_app.send_task", refuse)
    gradings.publish(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.is_delayed) == (Status.QUEUED, True)
    assert str(waiting.pk) in caplog.text
    assert "password" not in caplog.text


def test_the_message_holds_the_id_alone(waiting: Grading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    sent: list[tuple[Any, Any]] = []
    monkeypatch.setattr("celery.current_app.send_task", lambda name, **kwargs: sent.append((name, kwargs["args"])))
    gradings.publish(waiting.pk)
    assert sent == [(tasks.grade_image.name, [str(waiting.pk)])]
    waiting.refresh_from_db()
    assert not waiting.is_delayed


def test_a_failed_grading_can_be_tried_again(
    image: FundusImage, photographer: User, published: list[uuid.UUID], django_capture_on_commit_callbacks: Any
) -> None:
    failed = GradingFactory(image=image, is_failed=True, n_attempts=3)
    with django_capture_on_commit_callbacks(execute=True):
        again = gradings.retry_grading(grading=failed, by=photographer)
    assert (again.pk, again.status, again.n_attempts, again.failure_code) == (failed.pk, Status.QUEUED, 0, "")
    assert published == [failed.pk]
    gradings.run_grading(grading_id=again.pk)
    again.refresh_from_db()
    assert (again.status, again.failure_text) == (Status.DONE, "")


def test_a_retry_after_the_model_was_replaced_asks_the_new_one(
    image: FundusImage, photographer: User, fake_grader: FakeGrader
) -> None:
    failed = GradingFactory(image=image, is_failed=True)
    fake_grader.bundle = FakeBundle(model_version="fake-2.0.0+11111111")
    again = gradings.retry_grading(grading=failed, by=photographer)
    failed.refresh_from_db()
    assert (again.model_version, again.status) == ("fake-2.0.0+11111111", Status.QUEUED)
    assert failed.status == Status.FAILED


@pytest.mark.parametrize("trait", [{}, {"is_done": True}])
def test_only_a_failed_grading_can_be_tried_again(
    image: FundusImage, photographer: User, trait: dict[str, bool]
) -> None:
    with pytest.raises(GradingNotFailed, match="not failed"):
        gradings.retry_grading(grading=GradingFactory(image=image, **trait), by=photographer)


def test_an_outsider_cannot_retry(image: FundusImage, outsider: User) -> None:
    failed = GradingFactory(image=image, is_failed=True)
    with pytest.raises(AccessDenied):
        gradings.retry_grading(grading=failed, by=outsider)
    assert n_events(Verb.GRADING_RETRIED) == 0


def test_trying_a_photograph_stores_an_event_and_nothing_else(photographer: User, fake_grader: FakeGrader) -> None:
    prediction = predict_photo(data=photo_bytes(comment=b"Byron"), by=photographer)
    assert prediction.grade == 2
    assert b"Byron" not in fake_grader.photos[0]
    event = AuditEvent.objects.get(verb=Verb.PHOTO_PREDICTED)
    assert (event.actor, event.data) == (photographer, {"model_version": FAKE_VERSION, "is_gradable": True})
    assert not Grading.objects.exists()
    assert not FundusImage.objects.exists()
