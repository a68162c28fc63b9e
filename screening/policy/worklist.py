"""Order of the worklist: bands, quality of the photographs, the random exams of the priority band. No Django here."""

import hashlib
from collections.abc import Collection, Sequence
from enum import IntEnum, StrEnum
from uuid import UUID

from screening.policy.outcome_tables import Urgency
from screening.policy.outcomes import WorklistRank

DEFAULT_READING_HOURS: dict[Urgency, int] = {Urgency.ROUTINE: 24 * 14, Urgency.SOON: 24 * 3, Urgency.IMMEDIATE: 4}
"""Hours from the hand-over until an exam should be read, by the urgency that the model suspects. Default of this
project without a source: two weeks, so that a result letter can follow in the third; three days; half a working day. A
site can change the hours in its settings."""


class WorklistBand(IntEnum):
    """Bands of the worklist, in the order of reading; within a band the earliest due time comes first.

    At a blind-first site an exam is in PRIORITY or BY_DUE_TIME, elsewhere in the band of its ``WorklistRank``.
    """

    PRIORITY = 0
    """Suspected sight-threatening exams, and at least as many random ones (``priority_exams``)."""
    SIGHT_THREATENING = 1
    REFERABLE = 2
    BY_DUE_TIME = 3
    UNGRADED = 4
    PENDING = 5
    LIMITED = 6
    ROUTINE = 7


class ExamQuality(StrEnum):
    """Quality of an exam's photographs, independent of their grades: it reveals no grade."""

    UNGRADED = "ungraded"
    """A present eye has no gradable photograph."""
    PENDING = "pending"
    LIMITED = "limited"
    """A field of an eye has only photographs that are usable with limits."""
    GOOD = "good"


def exam_quality(*, is_any_eye_ungraded: bool, is_any_pending: bool, is_any_limited: bool) -> ExamQuality:
    """Quality of an exam's photographs: the fact that needs attention first decides."""
    if is_any_eye_ungraded:
        return ExamQuality.UNGRADED
    if is_any_pending:
        return ExamQuality.PENDING
    return ExamQuality.LIMITED if is_any_limited else ExamQuality.GOOD


def worklist_band(rank: WorklistRank, *, is_blind_first: bool, is_priority: bool) -> WorklistBand:
    """The band of an exam. At a blind-first site it does not depend on the rank."""
    if is_blind_first:
        return WorklistBand.PRIORITY if is_priority else WorklistBand.BY_DUE_TIME
    return WorklistBand[rank.name]


def priority_exams(*, suspected: Sequence[UUID], sampled: Collection[UUID], others: Collection[UUID]) -> set[UUID]:
    """Those of some waiting exams of a blind-first site that are in the priority band; at most half are suspected.

    ``suspected``: the model suspects a sight-threatening eye; the earliest due first. ``sampled``: others that are in
    the band already. They stay until they are read: to leave it would show that they are not suspected. ``others``: all
    other waiting exams, of which as many as necessary are added, in the order of ``sample_order``. If there are too
    few, the suspected exams that are due last stay outside.
    """
    n_missing = max(0, len(suspected) - len(sampled))
    random = [*sampled, *sorted(others, key=sample_order)[:n_missing]]
    return {*random, *suspected[: len(random)]}


def sample_order(exam_id: UUID) -> str:
    """Position of an exam in the random order of ``priority_exams``: it follows from the id, so it can be repeated."""
    return hashlib.sha256(f"priority:{exam_id}".encode()).hexdigest()
