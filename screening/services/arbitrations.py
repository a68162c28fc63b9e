"""Decisions of senior reviewers between two readers who disagree."""

from django.db import transaction
from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.models import AuditEvent, Exam, Reading, Review, User
from screening.policy.exam_states import ExamState
from screening.policy.protocols import ReadingStage
from screening.services.arbitration_drafts import delete_decision_drafts
from screening.services.audit import record_event
from screening.services.exams import lock_exam
from screening.services.findings import check_length, checked_findings, eye_results
from screening.services.outcomes import decide_review
from screening.services.readings import Findings, store_reading, stored_findings
from screening.services.signatures import AlreadyReviewed, create_review, first_readings, in_round, signed_readings
from screening.services.structured_findings import ReviewError


@transaction.atomic
def arbitrate(
    *,
    exam: Exam,
    reason: str,
    taken_over: Reading | None = None,
    findings: Findings | None = None,
    note: str = "",
    by: User,
) -> Review:
    """Sign the result of an exam on which two readers disagree: one of their readings, or own ``findings``.

    A senior reviewer who has read the exam in this round does not decide on it.
    Raises ReviewError, AlreadyReviewed, AccessDenied.
    """
    locked = lock_exam(exam)
    require(by, Action.ARBITRATE_EXAM, locked.site)
    _require_undecided(locked, by)
    reason, note = reason.strip(), note.strip()
    if not reason:
        raise ReviewError(_("Enter the reason for your decision."))
    check_length(reason, Reading, "reason")
    if (taken_over is None) == (findings is None):
        raise ReviewError(_("Choose one of the readings, or enter findings of both eyes."))
    checked = _findings_of(locked, taken_over) if taken_over is not None else checked_findings(locked, findings or {})
    store_reading(locked, ReadingStage.ARBITRATION, checked, by=by, note=note, reason=reason, taken_over=taken_over)
    eyes = eye_results(locked, checked)
    decided = decide_review(locked, eyes, None)
    review = create_review(locked, eyes, checked, decided, texts={"note": note, "amend_reason": ""}, by=by)
    delete_decision_drafts(locked)
    data = {"is_taken_over": taken_over is not None}
    record_event(verb=AuditEvent.Verb.EXAM_ARBITRATED, subject=locked, site=locked.site, data=data, by=by)
    return review


def _require_undecided(exam: Exam, by: User) -> None:
    if exam.status == ExamState.SIGNED:
        raise AlreadyReviewed
    if exam.status != ExamState.ARBITRATION:
        raise ReviewError(_("This exam does not wait for a decision between two readers."))
    if signed_readings(exam, by).exists() or first_readings(exam, by).exists():
        raise ReviewError(_("You have read this exam yourself, so another senior reviewer decides."))


def _findings_of(exam: Exam, reading: Reading) -> Findings:
    """The findings of a reading of the exam's present round. Raises ReviewError."""
    is_current = signed_readings(exam, reading.reader).filter(**in_round(exam), pk=reading.pk).exists()
    if not is_current:
        raise ReviewError(_("This reading is not one of the exam as it is now. Reload the page."))
    if reading.scale != exam.site.scale:
        raise ReviewError(_("This reading is graded in another scale. Enter findings of both eyes."))
    return stored_findings(reading)
