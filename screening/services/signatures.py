"""What a signature needs, and what follows from it: for the only reader, the second one and a senior reviewer."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ml.vocabulary import Laterality
from screening import policy
from screening.models import AuditEvent, Exam, EyeFinding, FirstReading, Reading, Review, Site, User
from screening.policy.exam_states import ExamEvent, ExamState
from screening.services.audit import record_event
from screening.services.drafts import delete_draft
from screening.services.exam_locks import end_lock
from screening.services.exams import apply_event, photographed_eyes
from screening.services.findings import check_length, finding_rows, is_other_finding, record_acuities
from screening.services.marks import store_marks
from screening.services.outcomes import DecidedReview
from screening.services.recalls import update_recall
from screening.services.referrals import follow_review
from screening.services.repeat_draws import draw_repeats
from screening.services.structured_findings import Finding, ReviewError
from screening.services.worklist import update_priority_later


class AlreadyReviewed(ReviewError):
    """The exam, or an amendment of its review, is signed already."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or _("This exam is already signed. Amend the review to change it."))


def require_waiting(exam: Exam, by: User) -> None:
    """Raises ReviewError unless the exam waits for a reading by ``by``."""
    if exam.status == ExamState.SIGNED:
        raise AlreadyReviewed
    if exam.is_open:
        raise ReviewError(_("The photographer has not submitted this exam yet."))
    if exam.status == ExamState.CANCELLED:
        raise ReviewError(_("This exam is cancelled."))
    if exam.status == ExamState.ARBITRATION:
        raise ReviewError(_("Two readers have signed this exam and disagree. A senior reviewer decides."))
    if signed_readings(exam, by).exists():
        raise ReviewError(_("You have signed a reading of this exam. Another person reads it now."))


def signed_readings(exam: Exam, by: User) -> QuerySet[Reading]:
    """What ``by`` signed of the exam's present round."""
    return Reading.in_protocol.filter(**in_round(exam), reader=by)


def require_first_readings(exam: Exam, by: User) -> None:
    """Raises ReviewError if ``by`` has yet to store an own reading of an eye before seeing the model's result.

    A grade that is recorded before the model's is seen protects from automation bias. The second reader needs one at
    every site.
    """
    if exam.site.reading_mode == Site.ReadingMode.BLIND_FIRST or exam.status == ExamState.SECOND_READING:
        unread = unread_eyes(exam, by)
        if unread:
            raise ReviewError(_("Record your own first reading of this eye before signing."), unread[0])


def unread_eyes(exam: Exam, reader: User) -> list[Laterality]:
    """Photographed eyes of which ``reader`` has recorded no first reading."""
    read = set(first_readings(exam, reader).values_list("laterality", flat=True))
    photographed = photographed_eyes(exam)
    return [eye for eye in Laterality if eye in photographed and not exam.absent_reason(eye) and eye not in read]


def first_readings(exam: Exam, reader: User) -> QuerySet[FirstReading]:
    """What ``reader`` recorded before seeing the model's result, in the exam's present round."""
    return FirstReading.objects.filter(**in_round(exam), reviewer=reader)


def in_round(exam: Exam) -> dict[str, Any]:
    """Filter of reviews and readings: those of the exam's present reading round."""
    return {"exam": exam, "reading_round": exam.reading_round}


def require_reasons_for_changes(exam: Exam, findings: Mapping[Laterality, Finding], by: User) -> None:
    """Raises ReviewError if a finding differs from the reader's own first reading without a reason."""
    for reading in first_readings(exam, by):
        finding = findings.get(Laterality(reading.laterality))
        if finding is None:
            continue
        if is_other_finding(reading, finding) and not finding.changed_reason.strip():
            raise ReviewError(
                _("You changed this eye after seeing the model's grade. Enter the reason."), finding.laterality
            )
        check_length(finding.changed_reason.strip(), EyeFinding, "changed_reason", finding.laterality)


def create_review(
    exam: Exam,
    eyes: Mapping[Laterality, policy.EyeResult],
    findings: Mapping[Laterality, Finding],
    decided: DecidedReview,
    *,
    amends: Review | None = None,
    texts: Mapping[str, str],
    by: User,
) -> Review:
    """Store the signed result of a locked exam with everything that follows from it; ``findings`` are checked."""
    review = Review.objects.create(
        exam=exam,
        site=exam.site,
        reviewer=by,
        signed_at=timezone.now(),
        **decided.columns,
        amends=amends,
        reading_round=exam.reading_round,
        scale=exam.site.scale,
        **texts,
    )
    for row in EyeFinding.objects.bulk_create(finding_rows(review, eyes, findings)):
        if row.is_photographed:
            store_marks(findings[Laterality(row.laterality)].marks, finding=row, by=by)
    record_acuities(exam, findings, by)
    apply_event(exam, ExamEvent.SIGN if amends is None else ExamEvent.AMEND)
    exam.save(update_fields=["status", *_set_absent_reasons(exam, findings, by)])
    end_reading(exam, by)
    follow_review(review, by=by)
    update_recall(exam.patient_id)  # after the referral, which decides whether there is a due date
    if amends is None:
        draw_repeats(review)
    verb = AuditEvent.Verb.REVIEW_SIGNED if amends is None else AuditEvent.Verb.REVIEW_AMENDED
    data = {"exam": str(exam.pk), "outcome": review.outcome, "reasons": ",".join(decided.decision.reasons)}
    record_event(verb=verb, subject=review, site=exam.site, data=data, by=by)
    return review


def end_reading(exam: Exam, by: User) -> None:
    """End the lock and the draft of a reader who signed. The caller records the event."""
    update_priority_later(exam.site)
    end_lock(exam)
    delete_draft(exam, by)


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
