"""Register of people at a site: who is invited for screening, and what is needed to change that.

Groups and reasons: NHS England, "Diabetic eye screening: cohort management" (27 September 2024).
"""

import datetime
from enum import StrEnum


class RegisterStatus(StrEnum):
    """Whether a person is invited for screening. Each person has exactly one."""

    ELIGIBLE = "eligible"
    SUSPENDED = "suspended"
    """Not invited until a day, because the retina is examined elsewhere or cannot be examined now."""
    OPTED_OUT = "opted_out"
    """Not invited until a day, by the person's own decision."""
    EXCLUDED = "excluded"
    MOVED = "moved"
    DECEASED = "deceased"


class RegisterReason(StrEnum):
    """Why a person has a status."""

    ELIGIBLE_AGAIN = "eligible_again"
    ENTERED_IN_ERROR = "entered_in_error"
    """The status of before was wrong."""
    PERIOD_ENDED = "period_ended"
    """The last day of a suspension or an opt-out has passed."""
    HOSPITAL_EYE_SERVICE = "hospital_eye_service"
    PREGNANCY_PATHWAY = "pregnancy_pathway"
    UNDER_12 = "under_12"
    MEDICALLY_UNFIT = "medically_unfit"
    OWN_DECISION = "own_decision"
    DECIDED_BY_CARER = "decided_by_carer"
    NO_LIGHT_PERCEPTION = "no_light_perception"
    NO_DIABETES = "no_diabetes"
    TERMINAL_ILLNESS = "terminal_illness"
    OTHER_SITE = "other_site"
    OUT_OF_AREA = "out_of_area"
    DIED = "died"
    OTHER = "other"
    """As the note states."""


_R = RegisterReason
REASONS: dict[RegisterStatus, tuple[RegisterReason, ...]] = {
    RegisterStatus.ELIGIBLE: (_R.ELIGIBLE_AGAIN, _R.ENTERED_IN_ERROR),
    RegisterStatus.SUSPENDED: (
        _R.HOSPITAL_EYE_SERVICE, _R.PREGNANCY_PATHWAY, _R.MEDICALLY_UNFIT, _R.UNDER_12, _R.OTHER,
    ),
    RegisterStatus.OPTED_OUT: (_R.OWN_DECISION, _R.DECIDED_BY_CARER),
    RegisterStatus.EXCLUDED: (_R.NO_LIGHT_PERCEPTION, _R.NO_DIABETES, _R.TERMINAL_ILLNESS, _R.OTHER),
    RegisterStatus.MOVED: (_R.OUT_OF_AREA, _R.OTHER_SITE),
    RegisterStatus.DECEASED: (_R.DIED,),
}  # fmt: skip
"""Reasons that a person can choose. ``PERIOD_ENDED`` is recorded by the system."""
LIMITED_STATUSES = (RegisterStatus.SUSPENDED, RegisterStatus.OPTED_OUT)
"""They end by themselves: each has a last day, after which the person is invited again."""
MAX_LIMITED_YEARS = 3
"""Years of the longest suspension or opt-out. Source: Midlands Partnership University NHS Foundation Trust, Diabetic
eye screening: opt out (for 18 months or 3 years). No site can change it."""


class EntryProblem(StrEnum):
    """Why a change of the register is refused."""

    REASON = "reason"
    """The reason does not belong to the status."""
    NOTE = "note"
    """The reason is "other", and no note states it."""
    UNTIL_MISSING = "until_missing"
    UNTIL_SURPLUS = "until_surplus"
    """Only a suspension and an opt-out end by themselves."""
    UNTIL_PAST = "until_past"
    UNTIL_FAR = "until_far"
    FROM_FUTURE = "from_future"


def entry_problem(
    *,
    status: RegisterStatus,
    reason: RegisterReason,
    note: str,
    from_on: datetime.date,
    until_on: datetime.date | None,
    today: datetime.date,
) -> EntryProblem | None:
    """What is wrong with a change of the register; None if nothing is. ``until_on`` is the last day."""
    if reason not in REASONS[status]:
        return EntryProblem.REASON
    if reason is RegisterReason.OTHER and not note.strip():
        return EntryProblem.NOTE
    if from_on > today:
        return EntryProblem.FROM_FUTURE
    if status not in LIMITED_STATUSES:
        return EntryProblem.UNTIL_SURPLUS if until_on is not None else None
    return _until_problem(until_on, today)


def _until_problem(until_on: datetime.date | None, today: datetime.date) -> EntryProblem | None:
    if until_on is None:
        return EntryProblem.UNTIL_MISSING
    if until_on < today:
        return EntryProblem.UNTIL_PAST
    return EntryProblem.UNTIL_FAR if (until_on - today).days > MAX_LIMITED_YEARS * 366 else None


def status_on(status: RegisterStatus, until_on: datetime.date | None, day: datetime.date) -> RegisterStatus:
    """The status that counts on ``day``: a suspension or an opt-out ends after its last day."""
    return RegisterStatus.ELIGIBLE if until_on is not None and until_on < day else status
