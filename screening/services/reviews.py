"""Reviews: first readings, signing, amending."""

import datetime
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening import policy
from screening.access import Action, require
from screening.models import AuditEvent, Exam, EyeFinding, FirstReading, Review, Site, User
from screening.services.audit import record_event
from screening.services.blindness import not_blind_reason
from screening.services.drafts import delete_draft, drop_stored_findings
from screening.services.exams import lock_exam, photographed_eyes, photographed_on
from screening.services.findings import (
    check_length,
    checked_finding,
    checked_findings,
    eye_results,
    find_sent_before,
    finding_rows,
    has_same_findings,
    is_other_finding,
    record_acuities,
)
from screening.services.structured_findings import Finding, ReviewError
from screening.services.worklist import update_priority_later

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


class AlreadyReviewed(ReviewError):
    """The exam, or an amendment of its review, is signed already."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or _("This exam is already signed. Amend the review to change it."))


@transaction.atomic
def record_first_reading(*, exam: Exam, finding: Finding, by: User) -> FirstReading:
    """Record a reviewer's finding of one eye before the model's is revealed. It cannot be changed.

    A reviewer who was reading when a colleague signed records it before seeing what the colleague found.
    Raises ReviewError if it is recorded already or inconsistent, or the eye has no photograph, AlreadyReviewed,
    AccessDenied.
    """
    locked = lock_exam(exam)
    require(by, Action.REVIEW_EXAM, locked.site)
    is_late = locked.status == Exam.Status.REVIEWED
    if not is_late or Review.objects.filter(**_current(locked), reviewer=by).exists():
        _require_status(locked, Exam.Status.SUBMITTED)
    if finding.laterality not in photographed_eyes(locked):
        raise ReviewError(_("This eye has no photograph, so there is nothing to read."), finding.laterality)
    reading = _create_first_reading(locked, checked_finding(locked, finding), by)
    record_acuities(locked, {finding.laterality: finding}, by)
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
                is_blind_complete=set(_unread_eyes(exam, by)) <= {finding.laterality},
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
    unread = _unread_eyes(locked, by)
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
    needs a reason. With ``amends`` and a reason, the new review replaces a signed one, which does not change.
    Raises ReviewError, AlreadyReviewed, AccessDenied.
    """
    locked = lock_exam(exam)
    require(by, Action.REVIEW_EXAM, locked.site)
    texts = {"note": note.strip(), "amend_reason": amend_reason.strip()}
    _require_signable(locked, amends, texts["amend_reason"], texts["note"])
    checked = checked_findings(locked, findings)
    eyes = eye_results(locked, checked)
    _require_first_readings(locked, amends, by)
    _require_reasons_for_changes(locked, checked, by)
    decision, recall_on = _decide(locked, eyes, amends)
    review = Review.objects.create(
        exam=locked,
        reviewer=by,
        signed_at=timezone.now(),
        outcome=decision.outcome,
        urgency=decision.urgency,
        recall_on=recall_on,
        amends=amends,
        reading_round=locked.reading_round,
        scale=locked.site.scale,
        **texts,
    )
    EyeFinding.objects.bulk_create(finding_rows(review, eyes, checked))
    record_acuities(locked, checked, by)
    locked.status = Exam.Status.REVIEWED
    locked.save(update_fields=["status", *_set_absent_reasons(locked, findings, by)])
    update_priority_later(locked.site)
    delete_draft(locked, by)
    _record(_verb_of(review), review, by, outcome=review.outcome, reasons=",".join(decision.reasons))
    return review


def _verb_of(review: Review) -> AuditEvent.Verb:
    return AuditEvent.Verb.REVIEW_SIGNED if review.amends is None else AuditEvent.Verb.REVIEW_AMENDED


def _set_absent_reasons(exam: Exam, findings: Mapping[Laterality, Finding], by: User) -> list[str]:
    """Set why an eye is absent, if the reviewer has found that; returns the changed fields."""
    changed = []
    for eye, finding in findings.items():
        if finding.absent_reason:
            field = Exam.ABSENT_REASON_FIELDS[eye]
            setattr(exam, field, finding.absent_reason)
            changed.append(field)
            record_event(
                verb=AuditEvent.Verb.EYE_ABSENT,
                subject=exam,
                site=exam.site,
                data={"laterality": eye, "is_absent": True},
                by=by,
            )
    return changed


def _record(verb: AuditEvent.Verb, subject: FirstReading | Review, by: User, **codes: str | bool) -> None:
    exam = subject.exam
    record_event(verb=verb, subject=subject, site=exam.site, data={"exam": str(exam.pk), **codes}, by=by)


def preview_outcome(
    *, exam: Exam, findings: Mapping[Laterality, Finding], amends: Review | None = None, by: User
) -> tuple[policy.Decision, datetime.date | None]:
    """Outcome and recall date if these findings were signed; nothing is stored.

    Raises ReviewError if a finding is missing, AccessDenied.
    """
    require(by, Action.REVIEW_EXAM, exam.site)
    return _decide(exam, eye_results(exam, checked_findings(exam, findings)), amends)


def _decide(
    exam: Exam, eyes: Mapping[Laterality, policy.EyeResult], amends: Review | None
) -> tuple[policy.Decision, datetime.date | None]:
    """Outcome and recall date. An amendment keeps those of the amended review, unless a finding differs."""
    decision = policy.decide_outcome(eyes[Laterality.RIGHT], eyes[Laterality.LEFT])
    if amends is not None and has_same_findings(amends, eyes):
        outcome, urgency = policy.Outcome(amends.outcome), policy.Urgency(amends.urgency)
        return replace(decision, outcome=outcome, urgency=urgency), amends.recall_on
    if decision.recall_months is None:
        return decision, None
    return decision, policy.add_months(photographed_on(exam), decision.recall_months)


def _require_status(exam: Exam, status: Exam.Status) -> None:
    if exam.status == status:
        return
    if exam.status == Exam.Status.REVIEWED:
        raise AlreadyReviewed
    if exam.status == Exam.Status.OPEN:
        raise ReviewError(_("The photographer has not submitted this exam yet."))
    if exam.status == Exam.Status.CANCELLED:
        raise ReviewError(_("This exam is cancelled."))
    raise ReviewError(_("This exam is not signed yet, so there is nothing to amend."))


def _require_signable(exam: Exam, amends: Review | None, amend_reason: str, note: str) -> None:
    check_length(note, Review, "note")
    check_length(amend_reason, Review, "amend_reason")
    if amends is None:
        _require_status(exam, Exam.Status.SUBMITTED)
        if amend_reason:
            raise ReviewError(_("A reason for an amendment was given, but no review to amend."))
        return
    _require_status(exam, Exam.Status.REVIEWED)
    if amends.exam_id != exam.pk:
        raise ReviewError(_("The review to amend belongs to another exam."))
    if amends.reading_round != exam.reading_round:
        raise ReviewError(_("This review does not count any more, so it is not amended. Sign the exam again."))
    if amends.amendments.exists():
        raise AlreadyReviewed(_("This review was amended meanwhile. Amend the newest review."))
    if not amend_reason:
        raise ReviewError(_("Enter the reason for the amendment."))


def _require_first_readings(exam: Exam, amends: Review | None, by: User) -> None:
    # A grade that is recorded before the model's is seen protects from automation bias.
    if amends is None and exam.site.reading_mode == Site.ReadingMode.BLIND_FIRST:
        unread = _unread_eyes(exam, by)
        if unread:
            raise ReviewError(_("Record your own first reading of this eye before signing."), unread[0])


def _unread_eyes(exam: Exam, reviewer: User) -> list[Laterality]:
    """Photographed eyes of which ``reviewer`` has recorded no first reading."""
    read = set(_first_readings(exam, reviewer).values_list("laterality", flat=True))
    photographed = photographed_eyes(exam)
    return [eye for eye in Laterality if eye in photographed and not exam.absent_reason(eye) and eye not in read]


def _first_readings(exam: Exam, reviewer: User) -> QuerySet[FirstReading]:
    return FirstReading.objects.filter(**_current(exam), reviewer=reviewer)


def _current(exam: Exam) -> dict[str, Any]:
    """Filter of reviews and first readings: those of the exam's present reading round."""
    return {"exam": exam, "reading_round": exam.reading_round}


def _require_reasons_for_changes(exam: Exam, findings: Mapping[Laterality, Finding], by: User) -> None:
    for reading in _first_readings(exam, by):
        finding = findings.get(Laterality(reading.laterality))
        if finding is None:
            continue
        if is_other_finding(reading, finding) and not finding.changed_reason.strip():
            raise ReviewError(
                _("You changed this eye after seeing the model's grade. Enter the reason."), finding.laterality
            )
        check_length(finding.changed_reason.strip(), EyeFinding, "changed_reason", finding.laterality)
