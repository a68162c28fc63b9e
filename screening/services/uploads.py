"""Uploads in parts: beginning, appending, unpacking an archive, adding to the exam, deleting.

A complete upload passes the same checks as a photograph that is sent in one request (``services.images``).
"""

import logging
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ml.eye_names import laterality_in_file_name
from ml.serving.decoders import decoders
from screening.access import Action, require
from screening.labels.fields import field_in_file_name
from screening.models import AuditEvent, Exam, FundusImage, Grading, PhotoUpload, User
from screening.photos import validation
from screening.photos.validation import InvalidPhoto
from screening.services.audit import record_event
from screening.services.exams import ExamError, lock_open_exam
from screening.services.images import get_or_attach_image

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(hours=24)
MAX_WAITING = 60
"""Uploads of an account that are not in an exam yet."""
FOLDER = "uploads"
Facts = dict[str, str | float | bool | None]


class TooManyUploads(ExamError):
    """The account has MAX_WAITING uploads that wait."""

    def __init__(self) -> None:
        message = ngettext(
            "%(n)d photograph waits already. Confirm or remove it, then send this one again.",
            "%(n)d photographs wait already. Confirm or remove some of them, then send this one again.",
            MAX_WAITING,
        )
        super().__init__(message % {"n": MAX_WAITING})


class WrongOffset(Exception):
    """The bytes do not follow those that are stored. ``n_received`` is how many are."""

    def __init__(self, n_received: int) -> None:
        self.n_received = n_received
        super().__init__()


class UploadTooLong(Exception):
    """More bytes came than the upload has."""


class UploadIncomplete(ExamError):
    """A part of the file is missing."""

    def __init__(self) -> None:
        super().__init__(_("The photograph has not arrived completely. Wait until it has, or send it again."))


@dataclass(frozen=True, slots=True)
class UnpackedFile:
    """A file of an archive: its name, and its upload, or why it is no photograph."""

    name: str
    upload: PhotoUpload | None
    rejection: str = ""


@transaction.atomic
def begin_upload(*, exam: Exam, n_bytes: int, laterality: str = "", field: str = "", by: User) -> PhotoUpload:
    """An empty upload of ``n_bytes`` bytes, for KEPT_FOR.

    Raises InvalidPhoto if it is empty or too large, TooManyUploads, AccessDenied, ExamNotOpen.
    """
    locked = lock_open_exam(exam, Action.UPLOAD_IMAGE, by)
    if not 0 < n_bytes <= validation.MAX_BYTES:
        raise InvalidPhoto("too_large" if n_bytes else "empty")
    _require_room(1, by)
    upload = _create(locked, n_bytes, laterality, field, by)
    data: Facts = {"exam": str(exam.pk), "n_bytes": n_bytes}
    record_event(verb=AuditEvent.Verb.UPLOAD_BEGUN, subject=upload, site=locked.site, data=data, by=by)
    return upload


def append_to_upload(*, upload: PhotoUpload, offset: int, data: bytes, by: User) -> PhotoUpload:
    """Store ``data`` behind the first ``offset`` bytes.

    Raises WrongOffset, UploadTooLong, AccessDenied, Http404 if the upload was deleted meanwhile.
    """
    require(by, Action.UPLOAD_IMAGE, upload.exam.site)
    stored = ""
    try:
        with transaction.atomic(durable=True):
            locked = _locked(upload)
            _require_next(locked, offset, len(data))
            if data:
                stored = _storage().save(_segment_name(locked), ContentFile(data))
                locked.segments = [*locked.segments, stored]
            locked.n_received += len(data)
            locked.save(update_fields=["segments", "n_received"])
    except BaseException:
        if stored:
            _delete_files([stored])
        raise
    return locked


def _require_next(upload: PhotoUpload, offset: int, n_bytes: int) -> None:
    if offset != upload.n_received:
        raise WrongOffset(upload.n_received)
    if offset + n_bytes > upload.n_bytes:
        raise UploadTooLong


def read_upload(upload: PhotoUpload) -> bytes:
    """The whole file. Raises UploadIncomplete, OSError, Http404 if the upload was deleted meanwhile."""
    if not upload.is_complete:
        raise UploadIncomplete
    content = bytearray()
    try:
        for name in upload.segments:
            with _storage().open(name) as segment:
                content += segment.read()
    except FileNotFoundError as error:
        if PhotoUpload.objects.filter(pk=upload.pk).exists():
            raise
        raise Http404 from error
    return bytes(content)


def attach_upload(*, upload: PhotoUpload, by: User, **values: Any) -> tuple[FundusImage, Grading | None]:
    """Add a complete upload to its exam and delete it; ``values`` and exceptions as ``get_or_attach_image``.

    After an exception it stays. Raises UploadIncomplete too.
    """
    image, grading = get_or_attach_image(exam=upload.exam, upload=BytesIO(read_upload(upload)), **values, by=by)
    _delete([upload])
    return image, grading


def unpack_upload(*, upload: PhotoUpload, by: User) -> list[UnpackedFile]:
    """An upload for each photograph of a ZIP archive, which is deleted, also if it is refused.

    Raises InvalidPhoto for an archive that is refused, UploadIncomplete, TooManyUploads, AccessDenied, ExamNotOpen,
    Http404 if the archive was unpacked or deleted meanwhile.
    """
    require(by, Action.UPLOAD_IMAGE, upload.exam.site)
    data = read_upload(upload)
    try:
        with validation.invalid_photo_if_refused():
            files = decoders.unpack(data)
    except InvalidPhoto:
        _delete([upload])
        raise
    stored: list[str] = []
    try:
        with transaction.atomic(durable=True):
            exam = lock_open_exam(upload.exam, Action.UPLOAD_IMAGE, by)
            _require_room(sum(1 for one in files if not one.rejection), by)
            _locked(upload).delete()
            unpacked = [_unpacked(exam, one.name, one.content, one.rejection, stored, by) for one in files]
            counts: Facts = {"exam": str(exam.pk), "n_photographs": sum(one.upload is not None for one in unpacked)}
            record_event(verb=AuditEvent.Verb.ARCHIVE_UNPACKED, subject=upload, site=exam.site, data=counts, by=by)
    except BaseException:
        _delete_files(stored)
        raise
    _delete_files(upload.segments)
    return unpacked


def discard_upload(*, upload: PhotoUpload, by: User) -> None:
    """Delete an upload that is not wanted. Raises AccessDenied."""
    require(by, Action.UPLOAD_IMAGE, upload.exam.site)
    _delete([upload])
    data = {"exam": str(upload.exam_id)}
    record_event(verb=AuditEvent.Verb.UPLOAD_DISCARDED, subject=upload, site=upload.exam.site, data=data, by=by)


def delete_expired_uploads() -> int:
    """Delete uploads that are older than KEPT_FOR, and parts without an upload. Returns how many uploads."""
    expired = list(PhotoUpload.objects.filter(expires_at__lte=timezone.now()))
    _delete(expired)
    _delete_orphaned_segments()
    return len(expired)


def _create(exam: Exam, n_bytes: int, laterality: str, field: str, by: User) -> PhotoUpload:
    return PhotoUpload.objects.create(
        exam=exam,
        owner=by,
        n_bytes=n_bytes,
        laterality=laterality,
        field=field,
        expires_at=timezone.now() + KEPT_FOR,
    )


def _require_room(n_uploads: int, by: User) -> None:
    waiting = PhotoUpload.objects.filter(owner=by, expires_at__gt=timezone.now())
    if waiting.count() + n_uploads > MAX_WAITING:
        raise TooManyUploads


def _unpacked(exam: Exam, name: str, content: bytes, rejection: str, stored: list[str], by: User) -> UnpackedFile:
    if rejection:
        return UnpackedFile(name, None, rejection)
    upload = _create(exam, len(content), laterality_in_file_name(name) or "", field_in_file_name(name), by)
    stored.append(_storage().save(_segment_name(upload), ContentFile(content)))
    upload.segments, upload.n_received = [stored[-1]], len(content)
    upload.save(update_fields=["segments", "n_received"])
    return UnpackedFile(name, upload)


def _locked(upload: PhotoUpload) -> PhotoUpload:
    rows = PhotoUpload.objects.select_for_update(of=("self",)).select_related("exam__site")
    return get_object_or_404(rows, pk=upload.pk)


def _storage() -> Storage:
    storage: Storage = FundusImage._meta.get_field("file").storage
    return storage


def _segment_name(upload: PhotoUpload) -> str:
    return f"{FOLDER}/{upload.pk.hex}/{uuid.uuid4().hex}.part"


def _delete(uploads: Iterable[PhotoUpload]) -> None:
    """The rows first: a part without a row is deleted later."""
    for upload in uploads:
        PhotoUpload.objects.filter(pk=upload.pk).delete()
        _delete_files(upload.segments)


def _delete_files(names: Iterable[str]) -> None:
    for name in names:
        try:
            _storage().delete(name)
        except Exception:  # the error of the request is the one that is reported
            logger.exception("A part of an upload is left: it is deleted after a day")


def _delete_orphaned_segments() -> None:
    storage, before = _storage(), timezone.now() - KEPT_FOR
    try:
        folders = storage.listdir(FOLDER)[0]
    except FileNotFoundError:  # nothing was ever uploaded in parts
        return
    known = {pk.hex for pk in PhotoUpload.objects.values_list("pk", flat=True)}
    for folder in set(folders) - known:
        for name in storage.listdir(f"{FOLDER}/{folder}")[1]:
            segment = f"{FOLDER}/{folder}/{name}"
            with suppress(FileNotFoundError):
                if storage.get_modified_time(segment) < before:
                    storage.delete(segment)
        with suppress(OSError):  # it has younger parts
            storage.delete(f"{FOLDER}/{folder}")
