"""Corrections of the record: moving an exam or a photograph to another patient, results entered in error."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening.access import Action, require
from screening.models import AuditEvent, Correction, Exam, FundusImage, Patient, Review, User
from screening.policy.exam_states import ExamEvent
from screening.services import duplicates
from screening.services.audit import record_event
from screening.services.exams import ExamError, check_length, find_or_open_exam, forget_not_photographed, lock_exam
from screening.services.hand_overs import read_again, review_in_force
from screening.services.recalls import update_recall
from screening.services.upload_checks import require_one_eye
from screening.services.worklist import update_worklist_order


class CorrectionRefused(ExamError):
    """The record cannot be corrected like this. The message is for the user."""


@transaction.atomic
def move_exam(*, exam: Exam, to_patient: Patient, reason: str, by: User) -> Exam:
    """Move an exam with all its photographs to another patient of the same site.

    A signed exam waits for a reviewer again: what was signed for the other patient does not count any more.
    Raises CorrectionRefused, AccessDenied.
    """
    require(by, Action.CORRECT_RECORD, exam.site)
    reason = checked_reason(reason)
    source, target = lock_patients(Patient.objects.get(exams=exam), to_patient)
    locked = lock_exam(exam)
    _require_movable(locked, source, target)
    review = review_in_force(locked)
    locked.patient = target
    locked.save(update_fields=["patient"])
    read_again(locked, by=by)
    update_recall(source.pk, target.pk)
    _record(
        AuditEvent.Verb.EXAM_MOVED,
        Correction(kind=Correction.Kind.EXAM_MOVED, exam=locked, review=review),
        (source, target),
        reason,
        by,
    )
    return locked


@transaction.atomic
def move_image(*, image: FundusImage, to_patient: Patient, reason: str, by: User) -> FundusImage:
    """Move a photograph to another patient of the same site, into the open exam or a new one.

    The exam that it leaves is read again, or returned to the photographer if an eye has no photograph now; what was
    signed there does not count any more. Raises CorrectionRefused, PictureOfOtherEye, AccessDenied.
    """
    require(by, Action.CORRECT_RECORD, image.exam.site)
    reason = checked_reason(reason)
    exam = Exam.objects.select_related("patient").get(images=image)
    source, target = lock_patients(exam.patient, to_patient)
    exam = lock_exam(exam)
    _require_movable(exam, source, target)
    locked = FundusImage.objects.select_for_update(of=("self",)).get(pk=image.pk)
    if locked.exam_id != exam.pk:
        raise CorrectionRefused(_changed_meanwhile())
    if locked.is_withdrawn:
        raise CorrectionRefused(_("This photograph is withdrawn. It stays in its exam, with the reason."))
    to_exam = lock_exam(find_or_open_exam(target, by=by)[0])
    _put_into(locked, to_exam)
    review = review_in_force(exam)
    read_again(exam, by=by)
    for changed in (exam, to_exam):
        update_worklist_order(changed)
    _record(
        AuditEvent.Verb.IMAGE_MOVED,
        Correction(kind=Correction.Kind.IMAGE_MOVED, exam=exam, to_exam=to_exam, image=locked, review=review),
        (source, target),
        reason,
        by,
    )
    return locked


@transaction.atomic
def mark_in_error(*, review: Review, reason: str, by: User) -> Review:
    """Mark a signed result as entered in error. It is kept and does not count; its exam waits for a reviewer again.

    Raises CorrectionRefused if it does not count already or the reason is missing, AccessDenied.
    """
    exam = lock_exam(review.exam)
    require(by, Action.CORRECT_RECORD, exam.site)
    reason = checked_reason(reason)
    if review_in_force(exam) != review:
        raise CorrectionRefused(_("This result does not count any more: it was amended or marked already."))
    read_again(exam, event=ExamEvent.MARK_IN_ERROR, by=by)
    _record(
        AuditEvent.Verb.REVIEW_IN_ERROR,
        Correction(kind=Correction.Kind.REVIEW_IN_ERROR, exam=exam, review=review),
        None,
        reason,
        by,
    )
    return review


def checked_reason(reason: str) -> str:
    """The reason without blanks around it. Raises ExamError if it is missing or too long."""
    reason = reason.strip()
    if not reason:
        raise CorrectionRefused(_("Enter the reason. It is kept with the record."))
    check_length(reason, Correction, "reason")
    return reason


def lock_patients(first: Patient, second: Patient) -> tuple[Patient, Patient]:
    """Both patients as stored now, locked until the transaction ends. Raises CorrectionRefused if they are the same."""
    if first.pk == second.pk:
        raise CorrectionRefused(_("This is the same patient. Choose the patient to whom it belongs."))
    patients = Patient.objects.select_for_update(of=("self",)).select_related("site").order_by("pk")
    locked = {patient.pk: patient for patient in patients.filter(pk__in=[first.pk, second.pk])}
    if locked[first.pk].site_id != locked[second.pk].site_id:
        raise CorrectionRefused(_("The patients belong to two sites. Records stay within one site."))
    return locked[first.pk], locked[second.pk]


def _require_movable(exam: Exam, source: Patient, target: Patient) -> None:
    if exam.patient_id != source.pk:
        raise CorrectionRefused(_changed_meanwhile())
    if exam.status == Exam.Status.CANCELLED:
        raise CorrectionRefused(_("This exam is cancelled. It stays as it is."))
    if target.merged_into_id is not None:
        raise CorrectionRefused(_("That record was merged into another one. Choose the other one."))


def _changed_meanwhile() -> str:
    return _("This record was moved meanwhile. Reload the page.")


def _put_into(image: FundusImage, exam: Exam) -> None:
    if exam.absent_reason(image.laterality):
        raise CorrectionRefused(
            _("In the open exam of that patient this eye is recorded as absent. Delete that record first.")
        )
    image.exam = exam
    require_one_eye(image, duplicates.stored_content(image), image.laterality)
    try:
        with transaction.atomic():
            image.save(update_fields=["exam"])
    except IntegrityError as error:
        message = _("The open exam of that patient has this photograph already. Withdraw this one instead.")
        raise CorrectionRefused(message) from error
    forget_not_photographed(exam, Laterality(image.laterality))


def _record(
    verb: AuditEvent.Verb, correction: Correction, patients: tuple[Patient, Patient] | None, reason: str, by: User
) -> None:
    exam = correction.exam
    assert exam is not None  # noqa: S101 (for the type)
    data = {"exam": str(exam.pk)}
    if patients is not None:
        correction.from_patient, correction.to_patient = patients
        data |= {"from_patient": str(patients[0].pk), "to_patient": str(patients[1].pk)}
    if correction.to_exam is not None:
        data["to_exam"] = str(correction.to_exam.pk)
    correction.site, correction.reason, correction.made_by = exam.site, reason, by
    correction.save(force_insert=True)
    subject = {
        Correction.Kind.EXAM_MOVED: exam,
        Correction.Kind.IMAGE_MOVED: correction.image,
        Correction.Kind.REVIEW_IN_ERROR: correction.review,
    }[Correction.Kind(correction.kind)]
    record_event(verb=verb, subject=subject, site=exam.site, data=data, by=by)
