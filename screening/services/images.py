"""Photographs of an exam: attaching, withdrawing, moving to the other eye."""

import hashlib
from typing import Protocol

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening.access import Action, require
from screening.models import AuditEvent, Correction, Exam, FundusImage, User
from screening.photos import validation
from screening.photos.validation import InvalidPhoto
from screening.services import gradings
from screening.services.audit import record_event
from screening.services.exams import (
    ExamError,
    ExamNotOpen,
    check_length,
    forget_not_photographed,
    lock_exam,
    lock_open_exam,
)
from screening.services.hand_overs import read_again, review_in_force
from screening.services.worklist import update_worklist_order

__all__ = ("InvalidPhoto", "attach_image", "change_laterality", "get_or_attach_image", "withdraw_image")


class Upload(Protocol):
    """A binary file: Django's UploadedFile, or any open file."""

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
    """As ``get_or_attach_image``; returns the image alone."""
    return get_or_attach_image(
        exam=exam, upload=upload, laterality=laterality, field=field, is_synthetic=is_synthetic, by=by
    )[0]


def get_or_attach_image(
    *,
    exam: Exam,
    upload: Upload,
    laterality: str,
    field: str = FundusImage.Field.MACULA,
    is_synthetic: bool = False,
    by: User,
) -> tuple[FundusImage, bool]:
    """Validate and store a photograph and queue its grading. Returns the image, and whether it is new.

    A file that is in the exam already returns its image, also for another ``laterality``. A failure leaves no row and
    no file; for that, this must be the outermost transaction.
    Raises InvalidPhoto, ExamNotOpen, ExamError, AccessDenied.
    """
    require(by, Action.UPLOAD_IMAGE, exam.site)
    eye = Laterality(laterality)
    data = upload.read(validation.MAX_BYTES + 1)
    photo = validation.validate(data)
    sha256 = hashlib.sha256(data).hexdigest()
    del data  # frees the memory: only the cleaned file is used from here
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
        captured_on=timezone.localdate(timezone=exam.site.zone),
        captured_on_source=FundusImage.CaptureSource.UPLOAD,
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


def _store(image: FundusImage, photo: validation.ValidPhoto, by: User) -> tuple[FundusImage, bool]:
    storage = FundusImage._meta.get_field("file").storage
    stored_name = ""
    try:
        # durable: if an outer transaction rolled back after this one, the file would stay without a row.
        with transaction.atomic(durable=True):
            exam = lock_open_exam(image.exam, Action.UPLOAD_IMAGE, by)
            duplicate = _find_duplicate(exam, image.sha256)
            if duplicate is not None:
                return duplicate, False
            _require_present(exam, image.laterality)
            image.file.save(f"photo.{photo.extension}", ContentFile(photo.cleaned), save=False)
            stored_name = image.file.name or ""
            image.save(force_insert=True)
            forget_not_photographed(exam, Laterality(image.laterality))
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
        raise ExamError(_("This eye is recorded as absent. Delete that record before you add a photograph."))


@transaction.atomic
def withdraw_image(*, image: FundusImage, code: str, reason: str = "", by: User) -> FundusImage:
    """Withdraw a photograph from its exam. The row and the file stay, with the reason.

    ``code`` is a ``WithdrawnCode``; OTHER needs a ``reason`` in words. A submitted or signed exam is read again, or
    returned to the photographer if an eye has no photograph now.
    Raises ExamError without a reason or if the photograph is withdrawn already, ExamNotOpen if the exam is cancelled,
    AccessDenied.
    """
    exam = lock_exam(image.exam)
    require(by, Action.WITHDRAW_IMAGE, exam.site)
    if exam.status == Exam.Status.CANCELLED:
        raise ExamNotOpen
    if exam.status == Exam.Status.REVIEWED:
        require(by, Action.CORRECT_RECORD, exam.site)
    locked = FundusImage.objects.select_for_update(of=("self",)).get(pk=image.pk)
    why, reason = FundusImage.WithdrawnCode(code), reason.strip()
    if why is FundusImage.WithdrawnCode.OTHER and not reason:
        raise ExamError(_("Enter the reason for withdrawing the photograph."))
    check_length(reason, FundusImage, "withdrawn_reason")
    if locked.is_withdrawn:
        raise ExamError(_("This photograph is already withdrawn."))
    locked.withdrawn_at = timezone.now()
    locked.withdrawn_code, locked.withdrawn_reason = why, reason
    locked.save(update_fields=["withdrawn_at", "withdrawn_code", "withdrawn_reason"])
    review = review_in_force(exam)
    if review is not None:
        Correction.objects.create(
            site=exam.site,
            kind=Correction.Kind.IMAGE_WITHDRAWN,
            exam=exam,
            image=locked,
            review=review,
            reason=reason or str(why.label),
            made_by=by,
        )
    read_again(exam, by=by)
    update_worklist_order(exam)
    record_event(
        verb=AuditEvent.Verb.IMAGE_WITHDRAWN,
        subject=locked,
        site=exam.site,
        data={"exam": str(exam.pk), "code": why},
        by=by,
    )
    return locked


@transaction.atomic
def change_laterality(*, image: FundusImage, laterality: str, by: User) -> FundusImage:
    """Change the eye of a photograph, until the exam is signed.

    A submitted exam is read again, or returned to the photographer if the other eye has no photograph now.
    Raises ExamError if the exam is closed, the photograph withdrawn or the eye absent, AccessDenied.
    """
    exam = lock_exam(image.exam)
    require(by, Action.UPLOAD_IMAGE, exam.site)
    if exam.status not in {Exam.Status.OPEN, Exam.Status.SUBMITTED}:
        raise ExamNotOpen
    eye = Laterality(laterality)
    locked = FundusImage.objects.select_for_update(of=("self",)).get(pk=image.pk)
    if locked.is_withdrawn:
        raise ExamError(_("This photograph is withdrawn."))
    if exam.absent_reason(eye):
        raise ExamError(_("That eye is recorded as absent. Delete that record first."))
    if locked.laterality != eye:
        before, locked.laterality = locked.laterality, eye
        locked.save(update_fields=["laterality"])
        forget_not_photographed(exam, eye)
        read_again(exam, by=by)
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
