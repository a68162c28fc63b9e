"""Visual acuity at a visit: recorded by the photographer or the reader."""

from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening.access import Action, can, require
from screening.models import AuditEvent, Exam, User, VisualAcuity
from screening.models.base import max_length
from screening.policy.acuity import AcuityError, Correction, logmar_of
from screening.services.audit import record_event
from screening.services.exams import ExamError, lock_exam


@transaction.atomic
def record_acuity(
    *, exam: Exam, laterality: Laterality, entered: str, correction: Correction | None = None, by: User
) -> VisualAcuity:
    """Record the acuity of one eye as it was written; the newest counts. The same one again returns the stored row.

    Raises ExamError if the text is no acuity, the eye is absent or the exam is cancelled, AccessDenied.
    """
    locked = lock_exam(exam)
    if not can(by, Action.REVIEW_EXAM, locked.site):
        require(by, Action.UPLOAD_IMAGE, locked.site)
    if locked.status == Exam.Status.CANCELLED:
        raise ExamError(_("This exam is cancelled."))
    if locked.absent_reason(laterality):
        raise ExamError(_("This eye is recorded as absent, so it has no visual acuity."))
    logmar, written = acuity_logmar(entered), entered.strip()
    newest = VisualAcuity.objects.filter(exam=locked, laterality=laterality).order_by("-created_at", "pk").first()
    if newest is not None and (newest.entered, newest.correction) == (written, correction or ""):
        return newest
    acuity = VisualAcuity.objects.create(
        exam=locked,
        laterality=laterality,
        entered=written,
        logmar=logmar,
        correction=correction or "",
        recorded_by=by,
    )
    record_event(
        verb=AuditEvent.Verb.ACUITY_RECORDED,
        subject=acuity,
        site=locked.site,
        data={"exam": str(locked.pk), "laterality": laterality},
        by=by,
    )
    return acuity


def acuity_logmar(entered: str) -> Decimal:
    """logMAR of an acuity as written. Raises ExamError with a sentence for the user."""
    if len(entered.strip()) > max_length(VisualAcuity, "entered"):
        raise ExamError(_invalid_text())
    try:
        return Decimal(str(logmar_of(entered)))
    except AcuityError:
        raise ExamError(_invalid_text()) from None


def _invalid_text() -> str:
    return _("Write the visual acuity as 6/12, 20/40, 0.5, logMAR 0.3, or CF, HM, PL, NPL.")


def newest_acuity(exam: Exam, eye: Laterality) -> float | None:
    """logMAR of the newest visual acuity of the eye at this visit; None if it was not measured."""
    newest = VisualAcuity.objects.filter(exam=exam, laterality=eye).order_by("-created_at", "pk").first()
    return None if newest is None else float(newest.logmar)
