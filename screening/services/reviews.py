"""Reviews: first readings, signing, amending."""

import datetime
from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening import policy
from screening.access import Action, can, require
from screening.models import AuditEvent, Exam, FirstReading, Reading, Review, User
from screening.policy.exam_states import ExamEvent, ExamState
from screening.policy.protocols import ProtocolKind
from screening.selectors.protocols import protocol_in_force
from screening.services.audit import record_event
from screening.services.blindness import not_blind_reason
from screening.services.drafts import drop_stored_findings
from screening.services.exam_locks import require_free
from screening.services.exams import apply_event, lock_exam, photographed_eyes
from screening.services.findings import (
    check_length,
    checked_finding,
    checked_findings,
    eye_results,
    find_sent_before,
    record_acuities,
)
from screening.services.marks import store_marks
from screening.services.outcomes import DecidedReview, decide_review, is_weaker
from screening.services.protocol_demands import demanding_protocol
from screening.services.signatures import (
    AlreadyReviewed,
    create_review,
    in_round,
    require_first_readings,
    require_reasons_for_changes,
    require_waiting,
    signed_readings,
    unread_eyes,
)
from screening.services.structured_findings import Finding, ReviewError

__all__ = (
    "AlreadyReviewed",
    "Finding",
    "ReviewError",
    "find_sent_before",
    "preview_outcome",
    "record_first_reading",
    "record_first_readings",
    "sign_review",
)


@transaction.atomic
def record_first_reading(*, exam: Exam, finding: Finding, by: User) -> FirstReading:
    """Record a reviewer's finding of one eye before the model's is revealed. It cannot be changed.

    A reviewer who was reading when a colleague signed records it before seeing what the colleague found.
    Raises ReviewError if it is recorded already or inconsistent, or the eye has no photograph, AlreadyReviewed,
    AccessDenied.
    """
    locked = lock_exam(exam)
    require(by, Action.REVIEW_EXAM, locked.site)
    is_late = locked.status == Exam.Status.SIGNED
    has_signed = Review.objects.filter(**in_round(locked), reviewer=by).exists() or signed_readings(locked, by).exists()
    if not is_late or has_signed:
        require_waiting(locked, by)
    if finding.laterality not in photographed_eyes(locked):
        raise ReviewError(_("This eye has no photograph, so there is nothing to read."), finding.laterality)
    reading = _create_first_reading(locked, checked_finding(locked, finding), by)
    store_marks(finding.marks, first_reading=reading, by=by)
    record_acuities(locked, {finding.laterality: finding}, by)
    if not is_late:
        apply_event(locked, ExamEvent.STORE_READING)
        locked.save(update_fields=["status"])
    codes = {"laterality": finding.laterality, "not_blind": reading.not_blind_reason}
    _record(AuditEvent.Verb.FIRST_READING_RECORDED, reading, by, **codes, is_late=is_late)
    return reading


def _create_first_reading(exam: Exam, finding: Finding, by: User) -> FirstReading:
    """Raises ReviewError if there is one of this eye."""
    reason = not_blind_reason(exam=exam, by=by)
    try:
        with transaction.atomic():
            return FirstReading.objects.create(
                exam=exam,
                reviewer=by,
                laterality=finding.laterality,
                is_gradable=finding.is_gradable,
                grade=finding.grade,
                macular_oedema=finding.macular_oedema,
                is_blind_complete=set(unread_eyes(exam, by)) <= {finding.laterality},
                reading_round=exam.reading_round,
                not_blind_reason=reason or "",
                **finding.structured.columns(),
            )
    except IntegrityError as error:
        raise ReviewError(_("Your first reading of this eye is already recorded."), finding.laterality) from error


@transaction.atomic
def record_first_readings(*, exam: Exam, findings: Mapping[Laterality, Finding], by: User) -> tuple[FirstReading, ...]:
    """Record the first reading of each eye that ``by`` has not read: all eyes or none.

    One eye alone must not reveal the model's result. Findings sent twice are recorded once. The draft is deleted, but
    for its note. Raises as ``record_first_reading``.
    """
    locked = lock_exam(exam)
    require(by, Action.REVIEW_EXAM, locked.site)
    require_free(locked, by)
    unread = unread_eyes(locked, by)
    readings = tuple(
        record_first_reading(exam=locked, finding=finding, by=by) for eye, finding in findings.items() if eye in unread
    )
    drop_stored_findings(locked, by)
    return readings


@transaction.atomic
def sign_review(
    *,
    exam: Exam,
    findings: Mapping[Laterality, Finding],
    note: str = "",
    amends: Review | None = None,
    amend_reason: str = "",
    by: User,
) -> Review:
    """Sign a finding for each eye that is not recorded as absent; ``policy`` decides the outcome.

    An eye without a photograph is signed as not photographed, or as absent with a reason, which the exam then has too.
    At a blind-first site each photographed eye needs a first reading by the signer; a finding that differs from it
    needs a reason. With ``amends`` and a reason, the new review replaces a signed one, which does not change; if the
    site reads twice, a senior reviewer alone makes its outcome weaker or later.
    Raises ReviewError, AlreadyReviewed, ExamLocked, AccessDenied.
    """
    locked = lock_exam(exam)
    require(by, Action.REVIEW_EXAM, locked.site)
    require_free(locked, by)
    texts = {"note": note.strip(), "amend_reason": amend_reason.strip()}
    _require_signable(locked, amends, texts["amend_reason"], texts["note"], by)
    checked = checked_findings(locked, findings)
    eyes = eye_results(locked, checked)
    if amends is None:
        require_first_readings(locked, by)
        if locked.status == ExamState.SECOND_READING or demanding_protocol(locked, checked) is not None:
            raise ReviewError(_("The protocol of this site demands two readers, so this is no result yet."))
    require_reasons_for_changes(locked, checked, by)
    decided = decide_review(locked, eyes, amends)
    if amends is not None:
        _require_may_weaken(locked, decided, amends, by)
    return create_review(locked, eyes, checked, decided, amends=amends, texts=texts, by=by)


def _record(verb: AuditEvent.Verb, subject: FirstReading, by: User, **codes: str | bool) -> None:
    exam = subject.exam
    record_event(verb=verb, subject=subject, site=exam.site, data={"exam": str(exam.pk), **codes}, by=by)


def preview_outcome(
    *, exam: Exam, findings: Mapping[Laterality, Finding], amends: Review | None = None, by: User
) -> tuple[policy.Decision, datetime.date | None]:
    """Outcome and recall date if these findings were signed; nothing is stored.

    Raises ReviewError if a finding is missing, AccessDenied.
    """
    require(by, Action.REVIEW_EXAM, exam.site)
    decided = decide_review(exam, eye_results(exam, checked_findings(exam, findings)), amends)
    return decided.decision, decided.recall_on


def _require_signed(exam: Exam, by: User) -> None:
    if exam.is_waiting:
        raise ReviewError(_("This exam is not signed yet, so there is nothing to amend."))
    if exam.status != ExamState.SIGNED:
        require_waiting(exam, by)


def _require_may_weaken(exam: Exam, decided: DecidedReview, amends: Review, by: User) -> None:
    """Raises ReviewError if one reviewer would make weaker or later what two persons read, or have to read now."""
    if not is_weaker(decided, amends) or can(by, Action.ARBITRATE_EXAM, exam.site):
        return
    readings = Reading.in_protocol.filter(**in_round(exam))
    if readings.exists() or protocol_in_force(exam.site).kind is not ProtocolKind.SINGLE:
        raise ReviewError(
            _(
                "This amendment makes the outcome weaker or later, and results of this site are read by two persons. "
                "Ask a senior reviewer to amend it, or mark the result as entered in error so that it is read again."
            )
        )


def _require_signable(exam: Exam, amends: Review | None, amend_reason: str, note: str, by: User) -> None:
    check_length(note, Review, "note")
    check_length(amend_reason, Review, "amend_reason")
    if amends is None:
        require_waiting(exam, by)
        if amend_reason:
            raise ReviewError(_("A reason for an amendment was given, but no review to amend."))
        return
    _require_signed(exam, by)
    if amends.exam_id != exam.pk:
        raise ReviewError(_("The review to amend belongs to another exam."))
    if amends.reading_round != exam.reading_round:
        raise ReviewError(_("This review does not count any more, so it is not amended. Sign the exam again."))
    if amends.amendments.exists():
        raise AlreadyReviewed(_("This review was amended meanwhile. Amend the newest review."))
    if not amend_reason:
        raise ReviewError(_("Enter the reason for the amendment."))
