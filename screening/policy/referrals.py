"""Referrals: their states, the one table of transitions, when the next step is due, and what an amendment changes.

A referral stays open until the hospital's result is back, the patient declined, or the review does not refer any more.
Whether it is late follows from the day on which its next step is due.
"""

import datetime
from dataclasses import dataclass
from enum import StrEnum

from ml.vocabulary import ICDRGrade
from screening.policy.default_outcomes import default_table
from screening.policy.outcome_tables import MacularOedema, Outcome, OutcomeTable, Urgency
from screening.policy.outcomes import EyeResult, NoRuleApplies, add_months, decide_outcome
from screening.policy.scales import GradingScale


class ReferralState(StrEnum):
    """The progress of a referral."""

    MADE = "made"
    """By the signature; not sent yet."""
    SENT = "sent"
    RECEIVED = "received"
    """The hospital has confirmed that it has it."""
    BOOKED = "booked"
    """The patient has an appointment."""
    ATTENDED = "attended"
    RESULT_BACK = "result_back"
    """The hospital's result is recorded."""
    DECLINED = "declined"
    """By the patient, or by the hospital."""
    WITHDRAWN = "withdrawn"
    """The review was entered in error, or an amendment does not refer any more."""


@dataclass(frozen=True, slots=True)
class Step:
    """One allowed transition. ``needs_note``: it takes something back or ends the referral, so the reason is kept."""

    state: ReferralState
    to: ReferralState
    needs_note: bool = False


_S = ReferralState
STEPS: tuple[Step, ...] = (
    Step(_S.MADE, _S.SENT),
    Step(_S.MADE, _S.DECLINED, needs_note=True),
    Step(_S.SENT, _S.RECEIVED),
    Step(_S.SENT, _S.BOOKED),
    Step(_S.SENT, _S.MADE, needs_note=True),
    Step(_S.SENT, _S.DECLINED, needs_note=True),
    Step(_S.RECEIVED, _S.BOOKED),
    Step(_S.RECEIVED, _S.SENT, needs_note=True),
    Step(_S.RECEIVED, _S.DECLINED, needs_note=True),
    Step(_S.BOOKED, _S.ATTENDED),
    Step(_S.BOOKED, _S.BOOKED, needs_note=True),  # another appointment
    Step(_S.BOOKED, _S.RECEIVED, needs_note=True),  # not attended, or cancelled
    Step(_S.BOOKED, _S.DECLINED, needs_note=True),
    Step(_S.ATTENDED, _S.BOOKED, needs_note=True),
    Step(_S.DECLINED, _S.MADE, needs_note=True),
)
"""Every transition that a person may choose. Two more follow from other acts: a recorded result of the hospital
(``FEEDBACK_STATES``), and a review that does not refer any more, which withdraws the referral."""

FEEDBACK_STATES = frozenset({_S.SENT, _S.RECEIVED, _S.BOOKED, _S.ATTENDED, _S.RESULT_BACK})
"""States in which the hospital's result can be recorded. A letter can come before the appointment was recorded, and a
recorded result can be corrected."""
CLOSED_STATES = frozenset({_S.RESULT_BACK, _S.DECLINED, _S.WITHDRAWN})
REFERRAL_OUTCOMES = frozenset({Outcome.REFER_SLIT_LAMP, Outcome.REFER, Outcome.REFER_URGENT})


@dataclass(frozen=True, slots=True)
class TargetDays:
    """Days from the day of the photographs until a referral is sent, and until the patient is seen."""

    sent: int
    seen: int


DEFAULT_TARGETS: dict[Urgency, TargetDays] = {
    Urgency.IMMEDIATE: TargetDays(sent=14, seen=42),
    Urgency.SOON: TargetDays(sent=21, seen=91),
    Urgency.ROUTINE: TargetDays(sent=21, seen=91),
}
"""Days from the photographs until a referral is sent, and until the patient is seen, by urgency. Default of this
project without a source: 2 and 6 weeks if urgent, 3 and 13 weeks if not. The same weeks are in notes of a screener in
training on the English standards of 2018; those standards could not be read. Earlier English standards were stricter
for R3: 95 % seen within 4 weeks (abstract of a study, retinalscreening.co.uk). A site can change the days in its
settings, and has to compare them with the standards of its country."""
DEFAULT_RESULT_DAYS = 28
"""Days from the examination until the result should be back. Default of this project without a source: a letter within
4 weeks. A site can change it in its settings."""


def step_of(state: ReferralState, to: ReferralState) -> Step | None:
    """The allowed transition between two states; None if there is none."""
    return next((one for one in STEPS if (one.state, one.to) == (state, to)), None)


def steps_from(state: ReferralState) -> tuple[Step, ...]:
    """The transitions that a person may choose, in the order of the table."""
    return tuple(one for one in STEPS if one.state is state)


def next_due_on(
    state: ReferralState,
    *,
    send_by: datetime.date,
    see_by: datetime.date,
    appointment_on: datetime.date | None = None,
    result_by: datetime.date | None = None,
) -> datetime.date | None:
    """The last day on which the next step is in time; None for a closed referral.

    A booked one is due on the day of its appointment, and on the day by which the patient should be seen if that is
    earlier: an appointment that is too late is late from then on.
    """
    if state in CLOSED_STATES:
        return None
    if state is ReferralState.MADE:
        return send_by
    if state is ReferralState.ATTENDED:
        return result_by or see_by
    if state is ReferralState.BOOKED and appointment_on is not None:
        return min(see_by, appointment_on)
    return see_by


def is_late(due_on: datetime.date | None, today: datetime.date) -> bool:
    """Whether the next step should have been taken before ``today``."""
    return due_on is not None and due_on < today


class AmendmentEffect(StrEnum):
    """What an amended review does to the referral of the review before it."""

    CONTINUE = "continue"
    """The referral now belongs to the amendment; its target days follow from the new urgency."""
    REPLACE = "replace"
    """The earlier referral is withdrawn, and a new one is made, which has to be sent."""
    WITHDRAW = "withdraw"
    KEEP = "keep"
    """The hospital has examined the patient already: the referral stays closed, with its result."""


_SEEN = frozenset({ReferralState.ATTENDED, ReferralState.RESULT_BACK})
_NOT_SENT = frozenset({ReferralState.MADE, ReferralState.DECLINED})
_URGENCIES = list(Urgency)


def effect_of_amendment(
    state: ReferralState, *, before: tuple[Outcome, Urgency], after: tuple[Outcome, Urgency]
) -> AmendmentEffect:
    """What happens to a referral in ``state`` if its review is amended. ``before``, ``after``: outcome and urgency.

    A referral that was sent is replaced if it became more urgent or leads to another examination, because the hospital
    has the earlier one. A declined one is made again if the amendment differs: the patient decides again.
    """
    if after[0] not in REFERRAL_OUTCOMES:
        return AmendmentEffect.KEEP if state is ReferralState.RESULT_BACK else AmendmentEffect.WITHDRAW
    if before == after or state in _SEEN or state is ReferralState.MADE:
        return AmendmentEffect.CONTINUE
    is_more_urgent = _URGENCIES.index(after[1]) > _URGENCIES.index(before[1])
    if state in _NOT_SENT or is_more_urgent or before[0] is not after[0]:
        return AmendmentEffect.REPLACE
    return AmendmentEffect.CONTINUE


@dataclass(frozen=True, slots=True)
class HospitalFinding:
    """What the hospital found in one eye; a grade of None was not stated."""

    grade: ICDRGrade | None
    oedema: MacularOedema
    is_absent: bool = False


def due_after_result(
    examined_on: datetime.date, right: HospitalFinding, left: HospitalFinding, *, table: OutcomeTable
) -> datetime.date | None:
    """When a person is due after the hospital's result; None if that does not follow from it.

    By the outcome table, from the day of the examination, as for photographs: the worse eye decides. A grade or an
    oedema that is not stated is never a negative: then the recall date of the review counts, and without one the person
    is due at once, and a person decides what follows. The hospital grades in ICDR: at a site with another scale, by the
    built-in table of ICDR.
    """
    rules = table if table.scale is GradingScale.ICDR else default_table(GradingScale.ICDR)
    try:
        months = decide_outcome(_eye(right), _eye(left), table=rules).recall_months
    except NoRuleApplies:
        months = None
    return add_months(examined_on, months) if months else None  # 0: photographs are to be repeated at once


def _eye(found: HospitalFinding) -> EyeResult:
    if found.grade is None:
        return EyeResult(is_absent=found.is_absent, is_gradable=False)
    return EyeResult(grade=found.grade, macular_oedema=found.oedema)
