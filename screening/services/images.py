"""Photographs of an exam: adding, withdrawing, moving to the other eye."""

import hashlib
from typing import Protocol

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening.access import Action, require
from screening.models import AuditEvent, Exam, FundusImage, User
from screening.photos import validation
from screening.photos.validation import InvalidPhoto
from screening.services import gradings
from screening.services.audit import record_event
from screening.services.exams import ExamError, check_length, lock_exam, lock_open_exam
from screening.services.worklist import update_worklist_order

__all__ = ("InvalidPhoto", "attach_image", "change_laterality", "find_or_attach_image", "withdraw_image")


class Upload(Protocol):
    """What Django's UploadedFile and every open binary file have."""

    def read(self, size: int = -1, /) -> bytes: ...


def attach_image(
    *,
    exam: Exam,
    upload: Upload,
    laterality: str,
    field: str = FundusImage.Field.MACULA,
    is_synthetic: bool = False,
    by: User,
) -> FundusImage:
    """As ``find_or_attach_image``, for whom it is the same whether the photograph is new."""
    return find_or_attach_image(
        exam=exam, upload=upload, laterality=laterality, field=field, is_synthetic=is_synthetic, by=by
    )[0]


def find_or_attach_image(
    *,
    exam: Exam,
    upload: Upload,
    laterality: str,
    field: str = FundusImage.Field.MACULA,
    is_synthetic: bool = False,
    by: User,
) -> tuple[FundusImage, bool]:
    """Check, clean and store a photograph of one eye and queue its grading. Returns it, and whether it is new.

    The same file twice in one exam gives the first image back, whatever eye it is sent for. On any failure neither a
    row nor a file is left; so this must be the outermost transaction.
    Raises InvalidPhoto with a code and a sentence, ExamNotOpen, ExamError, AccessDenied.
    """
    require(by, Action.UPLOAD_IMAGE, exam.site)
    eye = Laterality(laterality)
    data = upload.read(validation.MAX_BYTES + 1)
    photo = validation.validate(data)
    sha256 = hashlib.sha256(data).hexdigest()
    del data  # from here on the cleaned file is the one copy in memory
    image = FundusImage(
        exam=exam,
        laterality=eye,
        field=FundusImage.Field(field),
        sha256=sha256,
        format=photo.format,
        width_px=photo.width_px,
        height_px=photo.height_px,
        n_bytes=len(photo.cleaned),
        camera=photo.camera,
        is_synthetic=is_synthetic,
        uploaded_by=by,
    )
    try:
        return _store(image, photo, by)
    except IntegrityError:
        duplicate = _find_duplicate(exam, sha256)  # two requests sent the same file at the same moment
        if duplicate is None:
            raise
        return duplicate, False


def _store(image: FundusImage, photo: validation.PhotoFile, by: User) -> tuple[FundusImage, bool]:
    storage = FundusImage._meta.get_field("file").storage
    stored_name = ""
    try:
        # durable: were this inside another transaction, a roll-back after our return would leave the file behind.
        with transaction.atomic(durable=True):
            exam = lock_open_exam(image.exam, Action.UPLOAD_IMAGE, by)
            duplicate = _find_duplicate(exam, image.sha256)
            if duplicate is not None:
                return duplicate, False
            _require_present(exam, image.laterality)
            image.file.save(f"photo.{photo.extension}", ContentFile(photo.cleaned), save=False)
            stored_name = image.file.name or ""
            image.save(force_insert=True)
            record_event(
                verb=AuditEvent.Verb.IMAGE_ATTACHED,
                subject=image,
                site=exam.site,
                data={"exam": str(exam.pk), "laterality": image.laterality, "sha256": image.sha256},
                by=by,
            )
            gradings.queue_grading(image=image, by=by)
    except BaseException:
        if stored_name:
            storage.delete(stored_name)
        raise
    return image, True


def _require_present(exam: Exam, laterality: str) -> None:
    if exam.absent_reason(laterality):
        raise ExamError(_("This eye is recorded as absent. Take that record back before adding a photograph."))


@transaction.atomic
def withdraw_image(*, image: FundusImage, reason: str, by: User) -> FundusImage:
    """Take a photograph out of its exam; the row and the file stay, with the reason.

    Raises ExamError with a sentence without a reason or when already withdrawn, ExamNotOpen, AccessDenied.
    """
    exam = lock_open_exam(image.exam, Action.WITHDRAW_IMAGE, by)
    locked = FundusImage.objects.select_for_update(of=("self",)).get(pk=image.pk)
    reason = reason.strip()
    if not reason:
        raise ExamError(_("Say why the photograph is withdrawn."))
    check_length(reason, FundusImage, "withdrawn_reason")
    if locked.is_withdrawn:
        raise ExamError(_("This photograph is already withdrawn."))
    locked.withdrawn_at = timezone.now()
    locked.withdrawn_reason = reason
    locked.save(update_fields=["withdrawn_at", "withdrawn_reason"])
    update_worklist_order(exam)
    record_event(
        verb=AuditEvent.Verb.IMAGE_WITHDRAWN, subject=locked, site=exam.site, data={"exam": str(exam.pk)}, by=by
    )
    return locked


@transaction.atomic
def change_laterality(*, image: FundusImage, laterality: str, by: User) -> FundusImage:
    """Move a photograph to the eye it shows, until the exam is signed.

    Raises ExamError with a sentence when signed, withdrawn, or the eye is recorded as absent, AccessDenied.
    """
    exam = lock_exam(image.exam)
    require(by, Action.UPLOAD_IMAGE, exam.site)
    if exam.status not in {Exam.Status.OPEN, Exam.Status.SUBMITTED}:
        raise ExamError(_("This exam is closed. Open a new exam for more photographs."))
    eye = Laterality(laterality)
    locked = FundusImage.objects.select_for_update(of=("self",)).get(pk=image.pk)
    if locked.is_withdrawn:
        raise ExamError(_("This photograph is withdrawn."))
    if exam.absent_reason(eye):
        raise ExamError(_("That eye is recorded as absent. Take that record back first."))
    if locked.laterality != eye:
        before, locked.laterality = locked.laterality, eye
        locked.save(update_fields=["laterality"])
        update_worklist_order(exam)
        record_event(
            verb=AuditEvent.Verb.LATERALITY_CHANGED,
            subject=locked,
            site=exam.site,
            data={"before": before, "after": eye},
            by=by,
        )
    return locked


def _find_duplicate(exam: Exam, sha256: str) -> FundusImage | None:
    return FundusImage.objects.filter(exam=exam, sha256=sha256, withdrawn_at__isnull=True).first()
