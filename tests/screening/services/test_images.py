"""Attaching a photograph stores everything or nothing; withdrawing and moving keep the row and the file."""

import datetime
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction

from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, FundusImage, Grading, User
from screening.services import duplicates
from screening.services.exams import ExamError, ExamNotOpen, cancel_exam, mark_eye_absent
from screening.services.images import InvalidPhoto, attach_image, change_laterality, withdraw_image
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory

Attach = Callable[..., FundusImage]


@pytest.fixture
def attach(exam: Exam, photographer: User) -> Attach:
    """Attaches a photograph of the right eye; keywords change the arguments."""

    def call(data: bytes | None = None, **changes: Any) -> FundusImage:
        name = "BYRON_ADA_1960-05-17_OD.jpg"
        upload = SimpleUploadedFile(name, photo_bytes() if data is None else data, content_type="image/jpeg")
        return attach_image(**{"exam": exam, "upload": upload, "laterality": "OD", "by": photographer, **changes})

    return call


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def assert_nothing_left(media_root: Path) -> None:
    assert files_in(media_root) == []
    assert not any(model._default_manager.exists() for model in (FundusImage, Grading, AuditEvent))


def test_a_photograph_is_stored_with_its_grading_and_its_event(
    attach: Attach, photographer: User, media_root: Path
) -> None:
    image = attach(laterality="OS", field="disc")
    image.refresh_from_db()
    assert (image.laterality, image.field, image.width_px, image.height_px) == ("OS", "disc", 120, 90)
    assert (image.uploaded_by, image.n_bytes) == (photographer, image.file.size)
    assert image.gradings.get().status == Grading.Status.QUEUED
    assert AuditEvent.objects.get(verb=AuditEvent.Verb.IMAGE_ATTACHED).object_id == str(image.pk)
    assert len(files_in(media_root)) == 1


def test_neither_the_file_name_nor_metadata_are_stored(attach: Attach, media_root: Path) -> None:
    image = attach(photo_bytes(comment=b"Byron, Ada"))
    assert b"Byron" not in image.file.read()
    stored = files_in(media_root)[0]
    assert "BYRON" not in str(stored.relative_to(media_root)).upper()
    assert stored.stat().st_mode & 0o077 == 0
    rows = [*FundusImage.objects.filter(pk=image.pk).values(), *AuditEvent.objects.values()]
    assert not any("BYRON" in str(row).upper() for row in rows)


def test_the_same_file_twice_returns_the_first_image(attach: Attach, media_root: Path) -> None:
    first, second = attach(), attach()
    assert second == first
    assert (len(files_in(media_root)), Grading.objects.count()) == (1, 1)


def test_two_requests_that_race_with_one_file_store_one_image(
    attach: Attach, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = attach()
    nothing = duplicates.Stored(same=None, other_eyes=[], other_patients=[])
    monkeypatch.setattr(duplicates, "find_stored", lambda **_arguments: nothing)
    assert attach() == first
    assert len(files_in(media_root)) == 1


def test_a_withdrawn_file_or_one_of_another_exam_is_a_new_image(attach: Attach, exam: Exam, photographer: User) -> None:
    first = attach()
    assert attach(exam=ExamFactory(patient=exam.patient)) != first
    withdraw_image(image=first, code="wrong_eye", by=photographer)
    assert attach(laterality="OS") != first


@pytest.mark.parametrize("data", [b"", b"Dear colleague", photo_bytes()[:900], b"GIF89a"])
def test_an_invalid_file_leaves_nothing_behind(attach: Attach, media_root: Path, data: bytes) -> None:
    with pytest.raises(InvalidPhoto):
        attach(data)
    assert_nothing_left(media_root)


@pytest.mark.parametrize("broken", ["gradings.queue_first_grading", "new_event", "FundusImage.save"])
def test_a_failure_at_any_step_leaves_no_row_and_no_file(
    attach: Attach, media_root: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(f"screening.services.new_images.{broken}", fail)
    with pytest.raises(RuntimeError):
        attach()
    assert_nothing_left(media_root)


@pytest.mark.django_db(transaction=True)
def test_a_failed_commit_leaves_no_row_and_no_file(
    attach: Attach, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise IntegrityError

    monkeypatch.setattr(connection, "commit", fail)
    with pytest.raises(IntegrityError):
        attach()
    monkeypatch.undo()
    assert_nothing_left(media_root)


@pytest.mark.django_db(transaction=True)
def test_a_photograph_cannot_be_attached_within_another_transaction(attach: Attach, media_root: Path) -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        attach()
    assert_nothing_left(media_root)


def test_a_closed_exam_or_an_absent_eye_accepts_no_photograph(
    attach: Attach, exam: Exam, photographer: User, media_root: Path
) -> None:
    mark_eye_absent(exam=exam, laterality="OD", reason="Prosthesis", by=photographer)
    with pytest.raises(ExamError, match="absent"):
        attach()
    cancel_exam(exam=exam, by=photographer)
    with pytest.raises(ExamNotOpen):
        attach(laterality="OS")
    assert files_in(media_root) == []


def test_an_outsider_and_a_reviewer_cannot_attach(
    attach: Attach, outsider: User, reviewer: User, media_root: Path
) -> None:
    for user in (outsider, reviewer):
        with pytest.raises(AccessDenied):
            attach(by=user)
    assert_nothing_left(media_root)


@pytest.mark.parametrize("laterality", ["od", "right", "OU"])
def test_an_eye_that_does_not_exist_is_an_error(attach: Attach, laterality: str) -> None:
    with pytest.raises(ValueError, match="not a valid"):
        attach(laterality=laterality)


def test_any_open_binary_file_can_be_attached(attach: Attach) -> None:
    image = attach(upload=BytesIO(photo_bytes("PNG")))
    assert (image.format, str(image.file.name).rpartition(".")[2]) == ("PNG", "png")


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_another_reason_needs_words(attach: Attach, photographer: User, reason: str) -> None:
    image = attach()
    with pytest.raises(ExamError):
        withdraw_image(image=image, code="other", reason=reason, by=photographer)
    image.refresh_from_db()
    assert not image.is_withdrawn


def test_withdrawing_keeps_the_row_and_the_file(attach: Attach, photographer: User, media_root: Path) -> None:
    image = attach()
    withdrawn = withdraw_image(image=image, code="poor_quality", reason=" Blurred ", by=photographer)
    assert (withdrawn.is_withdrawn, withdrawn.withdrawn_code) == (True, "poor_quality")
    assert withdrawn.withdrawn_reason == "Blurred"
    assert len(files_in(media_root)) == 1
    with pytest.raises(ExamError, match="already"):
        withdraw_image(image=image, code="wrong_patient", by=photographer)


def test_a_photograph_is_moved_to_the_other_eye_unless_it_is_absent(
    attach: Attach, exam: Exam, photographer: User
) -> None:
    image = attach()
    assert change_laterality(image=image, laterality="OS", by=photographer).laterality == "OS"
    event = AuditEvent.objects.get(verb=AuditEvent.Verb.LATERALITY_CHANGED)
    assert event.data == {"before": "OD", "after": "OS"}
    mark_eye_absent(exam=exam, laterality="OD", reason="Prosthesis", by=photographer)
    with pytest.raises(ExamError, match="absent"):
        change_laterality(image=image, laterality="OD", by=photographer)


@pytest.mark.parametrize(("zone", "day"), [("Pacific/Auckland", "2026-03-02"), ("America/Los_Angeles", "2026-03-01")])
def test_a_photograph_without_a_date_has_that_of_the_upload_at_the_site(
    attach: Attach, exam: Exam, zone: str, day: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime.datetime(2026, 3, 1, 23, 30, tzinfo=datetime.UTC)
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)
    exam.site.timezone = zone
    exam.site.save()
    image = attach()
    assert (str(image.captured_on), image.captured_on_source) == (day, "upload")
