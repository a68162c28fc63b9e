"""Photographs of an exam: attaching, withdrawing, moving to the other eye."""

import datetime
import hashlib
from typing import Any, Protocol

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ml.serving.files.dicom_header import NO_HEADER
from ml.vocabulary import Laterality
from screening.access import Action, require
from screening.models import AuditEvent, Correction, Exam, FundusImage, Grading, User
from screening.photos import validation
from screening.photos.validation import InvalidPhoto
from screening.policy.exam_states import FINISHED
from screening.services import duplicates
from screening.services.audit import record_event
from screening.services.dicom_checks import require_dicom_answers
from screening.services.exams import (
    ExamError,
    ExamNotOpen,
    check_length,
    forget_not_photographed,
    lock_exam,
)
from screening.services.hand_overs import read_again, review_in_force
from screening.services.new_images import store_image
from screening.services.upload_checks import (
    NO_ANSWERS,
    Answers,
    DoubtfulCaptureDate,
    OnWriting,
    PictureOfOtherEye,
    PictureOfOtherPatient,
    UploadQuestion,
    WritingFound,
    handle_writing,
    require_one_eye,
)
from screening.services.worklist import update_worklist_order

__all__ = (
    "Answers",
    "DoubtfulCaptureDate",
    "InvalidPhoto",
    "OnWriting",
    "PictureOfOtherEye",
    "PictureOfOtherPatient",
    "UploadQuestion",
    "WritingFound",
    "attach_image",
    "change_laterality",
    "get_or_attach_image",
    "withdraw_image",
)


class EyeRequired(ExamError):
    """Neither the uploader nor the file states the eye."""

    def __init__(self) -> None:
        super().__init__(_("Choose the eye: the file does not state which one it shows."))


class Upload(Protocol):
    """A binary file: Django's UploadedFile, or any open file."""

    def read(self, size: int = -1, /) -> bytes: ...


def attach_image(
    *,
    exam: Exam,
    upload: Upload,
    laterality: str = "",
    field: str = "",
    captured_on: datetime.date | None = None,
    answers: Answers = NO_ANSWERS,
    on_writing: OnWriting = OnWriting.KEEP,
    pupil: str = "",
    is_synthetic: bool = False,
    by: User,
) -> FundusImage:
    """As ``get_or_attach_image``; returns the image alone."""
    return get_or_attach_image(
        exam=exam,
        upload=upload,
        laterality=laterality,
        field=field,
        captured_on=captured_on,
        answers=answers,
        on_writing=on_writing,
        pupil=pupil,
        is_synthetic=is_synthetic,
        by=by,
    )[0]


def get_or_attach_image(
    *,
    exam: Exam,
    upload: Upload,
    laterality: str = "",
    field: str = "",
    captured_on: datetime.date | None = None,
    answers: Answers = NO_ANSWERS,
    on_writing: OnWriting = OnWriting.KEEP,
    pupil: str = "",
    is_synthetic: bool = False,
    by: User,
) -> tuple[FundusImage, Grading | None]:
    """Validate and store a photograph and queue its grading. Returns the image, and the grading of a new one.

    A file that the exam has for this eye already returns its image. Without ``captured_on`` the date of the photograph
    is that of the file, else that of the upload. ``laterality``, ``field`` and ``pupil`` that are empty are those of a
    DICOM file; the field is else the macula. A failure leaves no row and no file; for that, this must be the outermost
    transaction. NB: access is checked with the exam locked, after the file was decoded; views check before.
    Raises InvalidPhoto, EyeRequired, ExamNotOpen, ExamError, PictureOfOtherEye, AccessDenied; an UploadQuestion that
    ``answers`` leave open; DecoderUnavailable.
    """
    data = upload.read(validation.MAX_BYTES + 1)
    photo = validation.validate(data)
    header = photo.dicom or NO_HEADER
    eye = Laterality(laterality) if laterality else header.laterality
    if eye is None:
        raise EyeRequired
    questions = require_dicom_answers(header, patient=exam.patient, eye=eye, answers=answers) if photo.dicom else []
    content = duplicates.content_of(photo, sha256=hashlib.sha256(data).hexdigest())
    photo, writing = handle_writing(photo, on_writing)
    day, source = _captured_on(exam, captured_on, photo.captured_on)
    del data  # frees the memory: only the cleaned file is used from here
    image = FundusImage(
        exam=exam,
        laterality=eye,
        field=FundusImage.Field(field or header.field or FundusImage.Field.MACULA),
        sha256=content.sha256,
        writing=writing,
        pupil=pupil or header.pupil,
        captured_on=day,
        captured_on_source=source,
        study_uid=header.study_uid,
        instance_uid=header.instance_uid,
        is_synthetic=is_synthetic,
        uploaded_by=by,
        **_file_facts(photo),
    )
    return store_image(image=image, photo=photo, content=content, answers=answers, notes=questions, by=by)


def _captured_on(
    exam: Exam, given: datetime.date | None, in_file: datetime.date | None
) -> tuple[datetime.date, FundusImage.CaptureSource]:
    if given is not None:
        return given, FundusImage.CaptureSource.CLIENT
    if in_file is not None:
        return in_file, FundusImage.CaptureSource.EXIF
    return timezone.localdate(timezone=exam.site.zone), FundusImage.CaptureSource.UPLOAD


def _file_facts(photo: validation.ValidPhoto) -> dict[str, Any]:
    """What an image stores of its file."""
    size = {"width_px": photo.width_px, "height_px": photo.height_px, "n_bytes": len(photo.cleaned)}
    return {"format": photo.format, "camera": photo.camera, **size}


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
    if exam.status == Exam.Status.SIGNED:
        require(by, Action.CORRECT_RECORD, exam.site)
    locked = FundusImage.objects.select_for_update(of=("self",)).get(pk=image.pk)
    _withdraw(locked, FundusImage.WithdrawnCode(code), reason.strip())
    _keep_in_history(exam, locked, by)
    read_again(exam, by=by)
    update_worklist_order(exam)
    data = {"exam": str(exam.pk), "code": locked.withdrawn_code}
    record_event(verb=AuditEvent.Verb.IMAGE_WITHDRAWN, subject=locked, site=exam.site, data=data, by=by)
    return locked


def _withdraw(image: FundusImage, code: FundusImage.WithdrawnCode, reason: str) -> None:
    if code is FundusImage.WithdrawnCode.OTHER and not reason:
        raise ExamError(_("Enter the reason for withdrawing the photograph."))
    check_length(reason, FundusImage, "withdrawn_reason")
    if image.is_withdrawn:
        raise ExamError(_("This photograph is already withdrawn."))
    image.withdrawn_at = timezone.now()
    image.withdrawn_code, image.withdrawn_reason = code, reason
    image.save(update_fields=["withdrawn_at", "withdrawn_code", "withdrawn_reason"])


def _keep_in_history(exam: Exam, image: FundusImage, by: User) -> None:
    """A correction of the review in force, if there is one."""
    review = review_in_force(exam)
    if review is not None:
        Correction.objects.create(
            site=exam.site,
            kind=Correction.Kind.IMAGE_WITHDRAWN,
            exam=exam,
            image=image,
            review=review,
            reason=image.withdrawn_reason or image.withdrawn_code,
            made_by=by,
        )


@transaction.atomic
def change_laterality(*, image: FundusImage, laterality: str, by: User) -> FundusImage:
    """Change the eye of a photograph, until the exam is signed.

    A submitted exam is read again, or returned to the photographer if the other eye has no photograph now.
    Raises ExamError if the exam is closed, the photograph withdrawn or the eye absent, PictureOfOtherEye if the eye
    that it leaves has the same picture once more, AccessDenied.
    """
    exam = lock_exam(image.exam)
    require(by, Action.UPLOAD_IMAGE, exam.site)
    if exam.status in FINISHED:
        raise ExamNotOpen
    eye = Laterality(laterality)
    locked = FundusImage.objects.select_for_update(of=("self",)).get(pk=image.pk)
    if locked.is_withdrawn:
        raise ExamError(_("This photograph is withdrawn."))
    if exam.absent_reason(eye):
        raise ExamError(_("That eye is recorded as absent. Delete that record first."))
    if locked.laterality != eye:
        require_one_eye(locked, duplicates.stored_content(locked), eye)
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
