"""Adding a photograph leaves everything or nothing."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction

from screening.access import AccessDenied
from screening.models import AuditEvent, Exam, FundusImage, Grading, Site, User
from screening.services import images
from screening.services.exams import ExamError, ExamNotOpen, cancel_exam, mark_eye_absent
from screening.services.images import InvalidPhoto, attach_image, change_laterality, withdraw_image
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory

NAME = "BYRON_ADA_1960-05-17_OD.jpg"


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient__site=site)


def upload(data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(NAME, photo_bytes() if data is None else data, content_type="image/jpeg")


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def assert_nothing_left(media_root: Path) -> None:
    assert files_in(media_root) == []
    assert not FundusImage.objects.exists()
    assert not Grading.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_photograph_is_stored_with_its_grading_and_its_event(
    exam: Exam, photographer: User, media_root: Path
) -> None:
    image = attach_image(exam=exam, upload=upload(), laterality="OS", field="disc", by=photographer)
    image.refresh_from_db()
    assert (image.laterality, image.field, image.width_px, image.height_px) == ("OS", "disc", 120, 90)
    assert image.uploaded_by == photographer
    assert image.n_bytes == image.file.size
    assert image.gradings.get().status == Grading.Status.QUEUED
    assert AuditEvent.objects.get(verb=AuditEvent.Verb.IMAGE_ATTACHED).object_id == str(image.pk)
    assert len(files_in(media_root)) == 1


def test_the_name_of_the_uploaded_file_is_kept_nowhere(exam: Exam, photographer: User, media_root: Path) -> None:
    image = attach_image(exam=exam, upload=upload(), laterality="OD", by=photographer)
    stored = files_in(media_root)[0]
    assert "BYRON" not in str(stored.relative_to(media_root)).upper()
    assert stored.stat().st_mode & 0o077 == 0
    rows = [*FundusImage.objects.filter(pk=image.pk).values(), *AuditEvent.objects.values()]
    assert not any("BYRON" in str(row).upper() for row in rows)


def test_the_stored_file_holds_no_metadata(exam: Exam, photographer: User) -> None:
    data = photo_bytes(comment=b"Byron, Ada")
    image = attach_image(exam=exam, upload=upload(data), laterality="OD", by=photographer)
    assert b"Byron" not in image.file.read()


def test_the_same_file_twice_gives_the_first_image_back(exam: Exam, photographer: User, media_root: Path) -> None:
    first = attach_image(exam=exam, upload=upload(), laterality="OD", by=photographer)
    second = attach_image(exam=exam, upload=upload(), laterality="OS", by=photographer)
    assert second == first
    assert second.laterality == "OD"
    assert len(files_in(media_root)) == 1
    assert Grading.objects.count() == 1


def test_two_requests_that_race_with_one_file_end_with_one_image(
    exam: Exam, photographer: User, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = attach_image(exam=exam, upload=upload(), laterality="OD", by=photographer)
    find = images._find_duplicate
    answers = iter([None])
    monkeypatch.setattr(images, "_find_duplicate", lambda exam, sha256: next(answers, find(exam, sha256)))
    assert attach_image(exam=exam, upload=upload(), laterality="OD", by=photographer) == first
    assert len(files_in(media_root)) == 1


def test_a_withdrawn_file_may_be_added_again(exam: Exam, photographer: User) -> None:
    first = attach_image(exam=exam, upload=upload(), laterality="OD", by=photographer)
    withdraw_image(image=first, reason="Wrong eye", by=photographer)
    assert attach_image(exam=exam, upload=upload(), laterality="OS", by=photographer) != first


def test_the_same_file_in_another_exam_is_another_image(exam: Exam, photographer: User) -> None:
    other = ExamFactory(patient=exam.patient)
    first = attach_image(exam=exam, upload=upload(), laterality="OD", by=photographer)
    assert attach_image(exam=other, upload=upload(), laterality="OD", by=photographer) != first


@pytest.mark.parametrize("data", [b"", b"Dear colleague", photo_bytes()[:900], b"GIF89a"])
def test_an_unacceptable_file_leaves_nothing_behind(
    exam: Exam, photographer: User, media_root: Path, data: bytes
) -> None:
    with pytest.raises(InvalidPhoto):
        attach_image(exam=exam, upload=upload(data), laterality="OD", by=photographer)
    assert_nothing_left(media_root)


@pytest.mark.parametrize("broken", ["gradings.queue_grading", "record_event", "FundusImage.save"])
def test_a_failure_at_any_step_leaves_no_row_and_no_file(
    exam: Exam, photographer: User, media_root: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(f"screening.services.images.{broken}", fail)
    with pytest.raises(RuntimeError):
        attach_image(exam=exam, upload=upload(), laterality="OD", by=photographer)
    assert_nothing_left(media_root)


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_fails_leaves_no_row_and_no_file(
    exam: Exam, photographer: User, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def fail() -> None:
        raise IntegrityError

    monkeypatch.setattr(connection, "commit", fail)
    with pytest.raises(IntegrityError):
        attach_image(exam=exam, upload=upload(), laterality="OD", by=photographer)
    monkeypatch.undo()
    assert_nothing_left(media_root)


@pytest.mark.django_db(transaction=True)
def test_a_photograph_cannot_be_added_within_another_transaction(
    exam: Exam, photographer: User, media_root: Path
) -> None:

    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        attach_image(exam=exam, upload=upload(), laterality="OD", by=photographer)
    assert_nothing_left(media_root)


def test_a_closed_exam_takes_no_photograph(exam: Exam, photographer: User, media_root: Path) -> None:
    cancel_exam(exam=exam, by=photographer)
    with pytest.raises(ExamNotOpen):
        attach_image(exam=exam, upload=upload(), laterality="OD", by=photographer)
    assert files_in(media_root) == []


def test_an_absent_eye_takes_no_photograph(exam: Exam, photographer: User, media_root: Path) -> None:
    mark_eye_absent(exam=exam, laterality="OD", reason="Prosthesis", by=photographer)
    with pytest.raises(ExamError, match="absent"):
        attach_image(exam=exam, upload=upload(), laterality="OD", by=photographer)
    assert files_in(media_root) == []


def test_an_outsider_and_a_reviewer_cannot_add_photographs(
    exam: Exam, outsider: User, reviewer: User, media_root: Path
) -> None:
    for user in (outsider, reviewer):
        with pytest.raises(AccessDenied):
            attach_image(exam=exam, upload=upload(), laterality="OD", by=user)
    assert_nothing_left(media_root)


@pytest.mark.parametrize("laterality", ["", "od", "right", "OU"])
def test_an_eye_that_does_not_exist_is_an_error(exam: Exam, photographer: User, laterality: str) -> None:
    with pytest.raises(ValueError, match="not a valid"):
        attach_image(exam=exam, upload=upload(), laterality=laterality, by=photographer)


def test_any_open_binary_file_can_be_attached(exam: Exam, photographer: User) -> None:
    image = attach_image(exam=exam, upload=BytesIO(photo_bytes("PNG")), laterality="OD", by=photographer)
    assert (image.format, str(image.file.name).rpartition(".")[2]) == ("PNG", "png")


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_photograph_is_withdrawn_with_a_reason_only(exam: Exam, photographer: User, reason: str) -> None:
    image = attach_image(exam=exam, upload=upload(), laterality="OD", by=photographer)
    with pytest.raises(ExamError):
        withdraw_image(image=image, reason=reason, by=photographer)
    image.refresh_from_db()
    assert not image.is_withdrawn


def test_withdrawing_keeps_the_row_and_the_file(exam: Exam, photographer: User, media_root: Path) -> None:
    image = attach_image(exam=exam, upload=upload(), laterality="OD", by=photographer)
    withdrawn = withdraw_image(image=image, reason=" Blurred ", by=photographer)
    assert (withdrawn.is_withdrawn, withdrawn.withdrawn_reason) == (True, "Blurred")
    assert len(files_in(media_root)) == 1
    with pytest.raises(ExamError, match="already"):
        withdraw_image(image=image, reason="Again", by=photographer)


def test_a_photograph_can_be_moved_to_the_eye_it_shows(exam: Exam, photographer: User) -> None:
    image = attach_image(exam=exam, upload=upload(), laterality="OD", by=photographer)
    assert change_laterality(image=image, laterality="OS", by=photographer).laterality == "OS"
    event = AuditEvent.objects.get(verb=AuditEvent.Verb.LATERALITY_CHANGED)
    assert event.data == {"before": "OD", "after": "OS"}


def test_a_photograph_is_not_moved_to_an_absent_eye(exam: Exam, photographer: User) -> None:
    image = attach_image(exam=exam, upload=upload(), laterality="OD", by=photographer)
    mark_eye_absent(exam=exam, laterality="OS", reason="Prosthesis", by=photographer)
    with pytest.raises(ExamError, match="absent"):
        change_laterality(image=image, laterality="OS", by=photographer)
