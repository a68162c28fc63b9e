"""Uploads in parts: their bytes, limits, archives and end."""

import errno
import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.http import Http404
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml.serving.decoders import decoders
from screening.access import AccessDenied
from screening.labels.fields import field_in_file_name
from screening.models import AuditEvent, Exam, FundusImage, Grading, PhotoUpload, Site, User
from screening.photos.validation import MAX_BYTES, InvalidPhoto
from screening.selectors.uploads import list_complete_uploads, list_uploads
from screening.services import uploads
from screening.services.exams import ExamNotOpen
from screening.services.upload_checks import PictureOfOtherPatient
from screening.services.uploads import (
    TooManyUploads,
    UploadIncomplete,
    UploadTooLong,
    WrongOffset,
    append_to_upload,
    attach_upload,
    begin_upload,
    discard_upload,
    read_upload,
    unpack_upload,
)
from screening.tasks import delete_expired_uploads
from tests.builders import photo_bytes
from tests.copies import eye_file
from tests.screening.factories import ExamFactory, PatientFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient=PatientFactory(site=site))


def uploaded(exam: Exam, by: User, data: bytes, *, segment_bytes: int = 0) -> PhotoUpload:
    upload = begin_upload(exam=exam, n_bytes=len(data), laterality="OD", by=by)
    for start in range(0, len(data), segment_bytes or len(data)):
        segment = data[start : start + (segment_bytes or len(data))]
        upload = append_to_upload(upload=upload, offset=start, data=segment, by=by)
    return upload


def zipped(**files: bytes) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return written.getvalue()


def stored_segments(media_root: Path) -> int:
    return sum(1 for one in (media_root / "uploads").rglob("*") if one.is_file())


def test_a_photograph_in_parts_becomes_that_of_one_request(exam: Exam, photographer: User, media_root: Path) -> None:
    data = photo_bytes()
    upload = uploaded(exam, photographer, data, segment_bytes=1000)
    assert len(upload.segments) > 1
    assert read_upload(upload) == data
    assert list_complete_uploads(user=photographer, exam=exam) == [upload]
    image, grading = attach_upload(upload=upload, laterality="OS", pupil="dilated", by=photographer)
    assert (grading, image.laterality, image.pupil) == (Grading.objects.get(), "OS", "dilated")
    assert not PhotoUpload.objects.exists()
    assert stored_segments(media_root) == 0
    assert list(AuditEvent.objects.filter(verb__startswith="upload").values_list("verb", flat=True)) == ["upload.begun"]


def test_bytes_that_do_not_follow_change_nothing(exam: Exam, photographer: User, media_root: Path) -> None:
    upload = begin_upload(exam=exam, n_bytes=10, by=photographer)
    upload = append_to_upload(upload=upload, offset=0, data=b"12345", by=photographer)
    for offset in (0, 4, 6):
        with pytest.raises(WrongOffset) as caught:
            append_to_upload(upload=upload, offset=offset, data=b"x", by=photographer)
        assert caught.value.n_received == 5
    with pytest.raises(UploadTooLong):
        append_to_upload(upload=upload, offset=5, data=b"678901", by=photographer)
    assert append_to_upload(upload=upload, offset=5, data=b"", by=photographer).n_received == 5
    with pytest.raises(UploadIncomplete):
        attach_upload(upload=upload, laterality="OD", by=photographer)
    assert stored_segments(media_root) == 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(0, 40), min_size=1, max_size=6))
def test_any_parts_give_the_file(sizes: list[int], exam: Exam, photographer: User) -> None:
    data = bytes(range(256))[: sum(sizes) or 1]
    upload = begin_upload(exam=exam, n_bytes=len(data), by=photographer)
    for size in [*sizes, len(data)]:
        at = upload.n_received
        upload = append_to_upload(upload=upload, offset=at, data=data[at : at + size], by=photographer)
    assert read_upload(upload) == data
    discard_upload(upload=upload, by=photographer)


def test_a_full_disk_loses_nothing(exam: Exam, photographer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = begin_upload(exam=exam, n_bytes=10, by=photographer)
    append_to_upload(upload=upload, offset=0, data=b"12345", by=photographer)

    def fail(*_: Any, **__: Any) -> str:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStorage, "_save", fail)
        with pytest.raises(OSError, match="full"):
            append_to_upload(upload=upload, offset=5, data=b"67890", by=photographer)
    upload = append_to_upload(upload=upload, offset=5, data=b"67890", by=photographer)
    assert read_upload(upload) == b"1234567890"


def test_the_account_has_limits(
    exam: Exam, photographer: User, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_WAITING", 2)
    for n_bytes, code in ((0, "empty"), (MAX_BYTES + 1, "too_large")):
        with pytest.raises(InvalidPhoto) as caught:
            begin_upload(exam=exam, n_bytes=n_bytes, by=photographer)
        assert caught.value.code == code
    with pytest.raises(AccessDenied):
        begin_upload(exam=exam, n_bytes=5, by=reviewer)
    first = begin_upload(exam=exam, n_bytes=5, by=photographer)
    begin_upload(exam=exam, n_bytes=5, by=photographer)
    with pytest.raises(TooManyUploads):
        begin_upload(exam=exam, n_bytes=5, by=photographer)
    PhotoUpload.objects.filter(pk=first.pk).update(expires_at=timezone.now())
    begin_upload(exam=exam, n_bytes=5, by=photographer)
    Exam.objects.update(status=Exam.Status.CANCELLED)
    with pytest.raises(ExamNotOpen):
        begin_upload(exam=exam, n_bytes=5, by=photographer)


def test_another_account_sees_no_upload(exam: Exam, photographer: User, manager: User) -> None:
    upload = uploaded(exam, photographer, b"12345")
    assert list(list_uploads(user=photographer)) == [upload]
    assert not list_uploads(user=manager).exists()


def test_old_uploads_are_deleted_by_a_periodic_task(
    exam: Exam, photographer: User, media_root: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, young = (uploaded(exam, photographer, b"12345") for _ in range(2))
    PhotoUpload.objects.filter(pk=old.pk).update(expires_at=timezone.now())
    assert list(list_uploads(user=photographer)) == [young]
    orphaned = media_root / "uploads" / "0" / "x.part"
    orphaned.parent.mkdir()
    orphaned.write_bytes(b"x")
    assert delete_expired_uploads.name in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    delete_expired_uploads()
    assert list(PhotoUpload.objects.all()) == [young]
    assert orphaned.exists(), "it may be of a request that is being carried out"
    monkeypatch.setattr(uploads, "KEPT_FOR", timedelta(seconds=-5))
    delete_expired_uploads()
    assert not orphaned.parent.exists()
    assert stored_segments(media_root) == 1


def test_a_question_keeps_the_upload(exam: Exam, site: Site, photographer: User) -> None:
    attach_upload(upload=uploaded(exam, photographer, eye_file()), laterality="OD", by=photographer)
    other = uploaded(ExamFactory(patient=PatientFactory(site=site)), photographer, eye_file())
    with pytest.raises(PictureOfOtherPatient):
        attach_upload(upload=other, laterality="OD", by=photographer)
    assert list(PhotoUpload.objects.all()) == [other]


def test_an_archive_becomes_uploads(exam: Exam, photographer: User, media_root: Path) -> None:
    first, second = photo_bytes(seed=1), photo_bytes(seed=2)
    files = {"a_OD_macula__jpg": first, "links papille__jpg": second, "letter__pdf": b"%PDF-1.7"}
    unpacked = unpack_upload(upload=uploaded(exam, photographer, zipped(**files)), by=photographer)
    assert [(one.name, one.rejection) for one in unpacked] == [
        ("a_OD_macula.jpg", ""),
        ("links papille.jpg", ""),
        ("letter.pdf", "pdf"),
    ]
    rows = [one.upload for one in unpacked if one.upload]
    assert [(row.laterality, row.field) for row in rows] == [("OD", "macula"), ("OS", "disc")]
    assert [read_upload(row) for row in rows] == [first, second]
    assert set(PhotoUpload.objects.all()) == set(rows)
    assert not FundusImage.objects.exists(), "a person confirms the eye"
    event = AuditEvent.objects.get(verb="upload.unpacked")
    assert event.data == {"exam": str(exam.pk), "n_photographs": 2}
    assert "macula" not in "".join(str(row.segments) for row in rows)


def test_of_two_that_unpack_an_archive_one_does(
    exam: Exam, photographer: User, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = uploaded(exam, photographer, zipped(OD__jpg=photo_bytes(seed=1)))
    unpack = decoders.unpack

    def unpack_meanwhile(data: bytes) -> Any:
        monkeypatch.setattr(decoders, "unpack", unpack)
        unpack_upload(upload=upload, by=photographer)
        return unpack(data)

    monkeypatch.setattr(decoders, "unpack", unpack_meanwhile)
    with pytest.raises(Http404):
        unpack_upload(upload=upload, by=photographer)
    assert (PhotoUpload.objects.count(), stored_segments(media_root)) == (1, 1)


def test_an_upload_that_was_deleted_meanwhile_is_not_found(exam: Exam, photographer: User) -> None:
    upload = uploaded(exam, photographer, b"photograph")
    discard_upload(upload=PhotoUpload.objects.get(), by=photographer)
    with pytest.raises(Http404):
        read_upload(upload)
    with pytest.raises(Http404):
        append_to_upload(upload=upload, offset=10, data=b"", by=photographer)


def test_a_refused_archive_leaves_nothing(exam: Exam, photographer: User, media_root: Path) -> None:
    with pytest.raises(InvalidPhoto, match="archive in it"):
        unpack_upload(upload=uploaded(exam, photographer, zipped(b__zip=zipped(c=b"x"))), by=photographer)
    assert (PhotoUpload.objects.count(), stored_segments(media_root)) == (0, 0)


def test_too_many_files_of_an_archive_keep_it(
    exam: Exam, photographer: User, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = uploaded(exam, photographer, zipped(a=photo_bytes(seed=1), b=photo_bytes(seed=2)))
    monkeypatch.setattr(uploads, "MAX_WAITING", 2)
    with pytest.raises(TooManyUploads):
        unpack_upload(upload=archive, by=photographer)
    assert list(PhotoUpload.objects.all()) == [archive]
    assert stored_segments(media_root) == 1


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("OD_macula.jpg", "macula"),
        ("12 Disc-OS.png", "disc"),
        ("OD.jpg", ""),
        ("macula_disc.jpg", ""),
        ("discus.jpg", ""),
    ],
)
def test_a_file_name_suggests_the_field(name: str, field: str) -> None:
    assert field_in_file_name(name) == field
