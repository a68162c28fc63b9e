"""Referrals of results: those that are closed, and when each person is due again."""

import datetime
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from ml.vocabulary import ICDRGrade
from screening.models import Referral, ReferralEvent, ReferralFeedback, Site
from screening.policy import MacularOedema, OutcomeTable
from screening.policy.referrals import CLOSED_STATES, HospitalFinding, ReferralState, due_after_result
from screening.selectors.outcome_tables import outcome_table_in_force


@dataclass(frozen=True, slots=True)
class ClosedReferral:
    """The day of the hospital's examination, or on which the referral was declined, and when the person is due."""

    closed_on: datetime.date
    due_on: datetime.date


def closed_referrals(exam_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, ClosedReferral]:
    """Of these exams, those whose referral is closed.

    After a declined one the recall date of the review counts; without one the person is due from that day on. Two
    queries, and one for each site and day of an examination.
    """
    declined = ReferralEvent.objects.filter(referral=OuterRef("pk"), state=ReferralState.DECLINED.value)
    rows = (
        Referral.objects.filter(exam__in=exam_ids)
        .filter(state__in=[ReferralState.RESULT_BACK.value, ReferralState.DECLINED.value])
        .select_related("exam", "site", "review")
        .annotate(declined_on=Subquery(declined.order_by("-created_at").values("happened_on")[:1]))
    )
    referrals = {row.pk: row for row in rows}
    results = {one.referral_id: one for one in _feedback(referrals)}
    tables: dict[tuple[Site, datetime.date], OutcomeTable] = {}
    found: dict[uuid.UUID, ClosedReferral] = {}
    for row in referrals.values():
        if row.state == ReferralState.DECLINED:
            found[row.exam_id] = ClosedReferral(row.declined_on, row.review.recall_on or row.declined_on)
        elif row.pk in results:
            found[row.exam_id] = _after_result(row, results[row.pk], tables)
    return found


def exams_with_open_referral(exam_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Of these exams, those whose referral is open. One query."""
    rows = Referral.objects.filter(exam__in=exam_ids).exclude(state__in=[state.value for state in CLOSED_STATES])
    return set(rows.order_by().values_list("exam", flat=True))


def _feedback(referral_ids: Collection[uuid.UUID]) -> list[ReferralFeedback]:
    """Results of the hospital, oldest first: the newest counts."""
    return list(ReferralFeedback.objects.filter(referral__in=list(referral_ids)).order_by("created_at", "pk"))


def _after_result(
    referral: Referral, result: ReferralFeedback, tables: dict[tuple[Site, datetime.date], OutcomeTable]
) -> ClosedReferral:
    key = (referral.site, result.examined_on)
    if key not in tables:
        tables[key] = outcome_table_in_force(*key).table
    exam = referral.exam
    right = _finding(result.right_grade, result.right_oedema, exam.right_eye_absent_reason)
    left = _finding(result.left_grade, result.left_oedema, exam.left_eye_absent_reason)
    recall_on = due_after_result(result.examined_on, right, left, table=tables[key])
    return ClosedReferral(result.examined_on, recall_on or referral.review.recall_on or result.examined_on)


def _finding(grade: int | None, oedema: str, absent_reason: str) -> HospitalFinding:
    is_absent = bool(absent_reason) and grade is None
    return HospitalFinding(None if grade is None else ICDRGrade(grade), MacularOedema(oedema), is_absent)
