"""Signing by the protocol of a site: the result at once, or a reading that waits for another person."""

import json
from collections.abc import Mapping
from dataclasses import replace

from django.db import transaction
from django.utils import timezone

from ml.vocabulary import ICDRGrade, Laterality
from screening import policy
from screening.access import Action, require
from screening.labels.lesions import UngradableReason
from screening.models import AuditEvent, Exam, EyeFinding, Reading, ReadingEye, Review, SiteProtocol, User
from screening.models.base import max_length
from screening.policy.exam_states import ExamEvent, ExamState
from screening.policy.landmarks import read_landmarks
from screening.policy.lesions import Lesion
from screening.policy.protocols import ReadingStage, is_more_severe, needs_arbitration
from screening.services.audit import record_event
from screening.services.exam_locks import require_free
from screening.services.exams import apply_event, lock_exam
from screening.services.findings import check_length, checked_findings, eye_results, finding_columns, record_acuities
from screening.services.marks import store_marks
from screening.services.outcomes import DecidedReview, decide_review
from screening.services.protocol_demands import demanding_protocol, read_eyes
from screening.services.reviews import sign_review
from screening.services.signatures import (
    create_review,
    end_reading,
    in_round,
    require_first_readings,
    require_reasons_for_changes,
    require_waiting,
)
from screening.services.structured_findings import Finding, StructuredFindings

Findings = Mapping[Laterality, Finding]
_OUTCOMES, _URGENCIES = list(policy.Outcome), list(policy.Urgency)


@transaction.atomic
def sign_findings(*, exam: Exam, findings: Findings, note: str = "", by: User) -> Review | Reading:
    """Sign findings of both eyes: the result, or a reading if the protocol demands another person.

    The second reader is never the first one, and stores an own reading before seeing the model's result at every site.
    If both agree, the more severe finding of each eye is signed as the result. If not, a senior reviewer decides.
    Raises ReviewError, AlreadyReviewed, ExamLocked, AccessDenied.
    """
    locked = lock_exam(exam)
    require(by, Action.REVIEW_EXAM, locked.site)
    require_free(locked, by)
    require_waiting(locked, by)
    checked = checked_findings(locked, findings)
    if locked.status == ExamState.SECOND_READING:
        return _sign_second(locked, checked, note.strip(), by)
    protocol = demanding_protocol(locked, checked)
    if protocol is None:
        return sign_review(exam=locked, findings=findings, note=note, by=by)
    reading = _sign_reading(locked, ReadingStage.FIRST, checked, note.strip(), by, protocol=protocol)
    apply_event(locked, ExamEvent.DEMAND_SECOND_READING)
    locked.save(update_fields=["status"])
    return reading


def _sign_second(exam: Exam, findings: Findings, note: str, by: User) -> Review | Reading:
    first = Reading.objects.select_related("protocol", "reader").get(**in_round(exam), stage=ReadingStage.FIRST)
    reading = _sign_reading(exam, ReadingStage.SECOND, findings, note, by)
    of_first = stored_findings(first)
    agreed = None if _differ(exam, first, of_first, findings) else agreed_findings(exam, of_first, findings)
    decided = None if agreed is None else _decide_agreed(exam, (of_first, findings), agreed)
    if agreed is None or decided is None:
        apply_event(exam, ExamEvent.DISAGREE)
        exam.save(update_fields=["status"])
        record_event(verb=AuditEvent.Verb.ARBITRATION_DEMANDED, subject=exam, site=exam.site, by=by)
        return reading
    texts = {"note": joined_notes(first.note, note), "amend_reason": ""}
    return create_review(exam, eye_results(exam, agreed), agreed, decided, texts=texts, by=by)


def _differ(exam: Exam, first: Reading, of_first: Findings, of_second: Findings) -> bool:
    """Whether a senior reviewer has to decide; two readings in different scales are not compared."""
    if first.scale != exam.site.scale:
        return True
    any_difference = bool(first.protocol and first.protocol.arbitrates_any_difference)
    one, other = read_eyes(exam, of_first), read_eyes(exam, of_second)
    return needs_arbitration(one, other, arbitrates_any_difference=any_difference)


def agreed_findings(exam: Exam, of_first: Findings, of_second: Findings) -> Findings | None:
    """Of each eye the more severe of two findings, with the other diseases of both; that of the second if equal.

    None if the texts on other diseases are too long together: then a person decides what is signed.
    """
    one, other = read_eyes(exam, of_first), read_eyes(exam, of_second)
    agreed = {}
    for eye, finding in of_second.items():
        worse = of_first[eye] if is_more_severe(one[eye], other[eye]) else finding
        diseases = dict.fromkeys(
            text.strip() for text in (of_first[eye].structured.other_disease, finding.structured.other_disease)
        )
        text = "; ".join(filter(None, diseases))
        if len(text) > max_length(EyeFinding, "other_disease"):
            return None
        agreed[eye] = replace(worse, structured=replace(worse.structured, other_disease=text))
    return agreed


def _decide_agreed(exam: Exam, readings: tuple[Findings, Findings], agreed: Findings) -> DecidedReview | None:
    """The decision on the agreed findings; None if that of one reading alone would be stronger or sooner.

    A table of the site can have rules for lesions, treatment or acuity, on which two readers who agree may differ.
    """
    decided = decide_review(exam, eye_results(exam, agreed), None)
    return None if any(_is_stronger(one, decided) for one in (_decide(exam, found) for found in readings)) else decided


def _decide(exam: Exam, findings: Findings) -> DecidedReview:
    return decide_review(exam, eye_results(exam, findings), None)


def _is_stronger(one: DecidedReview, other: DecidedReview) -> bool:
    is_sooner = one.recall_on is not None and (other.recall_on is None or one.recall_on < other.recall_on)
    more_outcome = _OUTCOMES.index(one.decision.outcome) > _OUTCOMES.index(other.decision.outcome)
    more_urgency = _URGENCIES.index(one.decision.urgency) > _URGENCIES.index(other.decision.urgency)
    return more_outcome or more_urgency or is_sooner


def joined_notes(first: str, second: str) -> str:
    """Both notes, if they fit into one; else the second. Each is also kept with its reading."""
    both = "\n\n".join(dict.fromkeys(filter(None, (first, second))))
    return both if len(both) <= max_length(Review, "note") else second


def _sign_reading(
    exam: Exam, stage: ReadingStage, findings: Findings, note: str, by: User, *, protocol: SiteProtocol | None = None
) -> Reading:
    require_first_readings(exam, by)
    require_reasons_for_changes(exam, findings, by)
    reading = store_reading(exam, stage, findings, by=by, note=note, protocol=protocol)
    end_reading(exam, by)
    return reading


def store_reading(
    exam: Exam,
    stage: ReadingStage,
    findings: Findings,
    *,
    by: User,
    note: str = "",
    protocol: SiteProtocol | None = None,
    reason: str = "",
    taken_over: Reading | None = None,
) -> Reading:
    """Store a signed reading with its eyes and marks; ``findings`` are checked. Raises ReviewError."""
    check_length(note, Review, "note")
    eyes = eye_results(exam, findings)
    decide_review(exam, eyes, None)  # a finding for which the table has no rule is refused now, not by the next reader
    reading = Reading.objects.create(
        exam=exam,
        reader=by,
        stage=stage.value,
        reading_round=exam.reading_round,
        signed_at=timezone.now(),
        scale=exam.site.scale,
        protocol=protocol,
        note=note,
        reason=reason,
        taken_over=taken_over,
    )
    rows = [
        ReadingEye(
            reading=reading,
            laterality=eye,
            absent_reason=findings[eye].absent_reason.strip() if eye in findings else "",
            acuity=findings[eye].acuity.strip() if eye in findings else "",
            **finding_columns(result, findings.get(eye)),
        )
        for eye, result in eyes.items()
    ]
    for row in ReadingEye.objects.bulk_create(rows):
        if row.is_photographed:
            store_marks(findings[Laterality(row.laterality)].marks, reading_eye=row, by=by)
    if stage is not ReadingStage.REPEAT:
        record_acuities(exam, findings, by)
    data = {"exam": str(exam.pk), "stage": stage.value}
    record_event(verb=AuditEvent.Verb.READING_SIGNED, subject=reading, site=exam.site, data=data, by=by)
    return reading


def stored_findings(reading: Reading) -> dict[Laterality, Finding]:
    """The findings of a signed reading, without eyes that the exam itself records as absent."""
    rows = reading.eyes.prefetch_related("marks")
    return {Laterality(row.laterality): _stored(row) for row in rows if row.absent_reason or not row.is_absent}


def _stored(row: ReadingEye) -> Finding:
    return Finding(
        laterality=Laterality(row.laterality),
        is_photographed=row.is_photographed,
        absent_reason=row.absent_reason,
        is_gradable=row.is_gradable,
        grade=None if row.grade is None else ICDRGrade(row.grade),
        macular_oedema=policy.MacularOedema(row.macular_oedema),
        changed_reason=row.changed_reason,
        structured=StructuredFindings(
            lesions={Lesion(code): value for code, value in row.lesions.items()},
            other_disease=row.other_disease,
            ungradable_reason=UngradableReason(row.ungradable_reason) if row.ungradable_reason else None,
            retinopathy=policy.Retinopathy(row.retinopathy) if row.retinopathy else None,
            maculopathy=policy.Maculopathy(row.maculopathy) if row.maculopathy else None,
            photocoagulation=policy.Photocoagulation(row.photocoagulation) if row.photocoagulation else None,
            contradiction_reason=row.contradiction_reason,
            landmarks=read_landmarks(json.dumps(row.landmarks)),
        ),
        marks=tuple(mark.value for mark in row.marks.all()),
    )
