"""Call and recall: when a person is due, in which state each person is, and which contact is next.

A cycle begins with a result, or when a person becomes eligible again; only contacts of the present cycle count. It has
one round of contacts, from the invitation to the telephone call, and another one each year until the person attends.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from screening.policy.outcomes import add_months
from screening.policy.register import LIMITED_STATUSES, RegisterReason, RegisterStatus, status_on


class RecallState(StrEnum):
    """The state of a person in call and recall. Each person is in exactly one on each day."""

    DUE = "due"
    """Due, or due so soon that the invitation is sent."""
    OVERDUE = "overdue"
    LOST = "lost"
    """Lost to follow-up: no contact is left until the next annual recall."""
    NOT_DUE = "not_due"
    IN_PROGRESS = "in_progress"
    """Being photographed, or the photographs wait for a result. Not if an opened exam was left without a hand-over."""
    BOOKED = "booked"
    """An appointment is made: the person is not invited again before it."""
    REFERRED = "referred"
    """The referral of the last result is open: there is no due date until it is closed."""
    SUSPENDED = "suspended"
    OPTED_OUT = "opted_out"
    EXCLUDED = "excluded"
    MOVED = "moved"
    DECEASED = "deceased"


class NextStep(StrEnum):
    """The next contact with a person who is due."""

    INVITE = "invite"
    REMIND = "remind"
    SECOND_TRY = "second_try"
    PHONE = "phone"
    LOST = "lost"
    """No contact is left in this round: the person is lost to follow-up until the next one."""


class ContactKind(StrEnum):
    """What was tried, or what happened."""

    INVITATION = "invitation"
    REMINDER = "reminder"
    NO_SHOW = "no_show"
    """The person did not attend an appointment."""
    SECOND_TRY = "second_try"
    PHONE_CALL = "phone_call"


class ContactResult(StrEnum):
    """The result of a contact."""

    SENT = "sent"
    REACHED = "reached"
    NOT_REACHED = "not_reached"
    RETURNED = "returned"
    """The address or the number is wrong."""


class ContactChannel(StrEnum):
    """How a contact was made."""

    LETTER = "letter"
    PHONE = "phone"
    EMAIL = "email"
    SMS = "sms"
    VISIT = "visit"


_LETTER_RESULTS = (ContactResult.SENT, ContactResult.REACHED, ContactResult.RETURNED)
RESULTS: dict[ContactKind, tuple[ContactResult, ...]] = {
    ContactKind.INVITATION: _LETTER_RESULTS,
    ContactKind.REMINDER: _LETTER_RESULTS,
    ContactKind.NO_SHOW: (ContactResult.NOT_REACHED,),
    ContactKind.SECOND_TRY: _LETTER_RESULTS,
    ContactKind.PHONE_CALL: (ContactResult.REACHED, ContactResult.NOT_REACHED, ContactResult.RETURNED),
}
"""Results that a contact can have."""
KIND_OF_STEP: dict[NextStep, ContactKind] = {
    NextStep.INVITE: ContactKind.INVITATION,
    NextStep.REMIND: ContactKind.REMINDER,
    NextStep.SECOND_TRY: ContactKind.SECOND_TRY,
    NextStep.PHONE: ContactKind.PHONE_CALL,
}


@dataclass(frozen=True, slots=True)
class RecallRules:
    """Days and months of call and recall at a site, which can change most of them in its settings.

    In England a person who misses a second appointment stays in the register and is invited again after 12 months (NHS
    England, Diabetic eye screening: care pathway, 2 October 2023); here the person is called before.
    """

    invite_before_days: int = 42
    """Days before the due date at which people are invited. Default of this project without a source: time for an
    appointment before the due date, as much as after it. A site can change it in its settings."""
    overdue_after_days: int = 42
    """Days after the due date at which people are overdue. Source: NHS Diabetic eye screening pathway standards from 1
    October 2024, DES-PS01 (who attends until 6 weeks after the due date counts as screened). A site can change it in
    its settings."""
    reminder_after_days: int = 14
    """Days from the invitation to the reminder. Default of this project without a source: time for a
    letter and an answer. A site can change it in its settings."""
    second_try_after_days: int = 28
    """Days from the reminder or a missed appointment to the second invitation. Default of this project without a
    source: with the reminder, 6 weeks after the invitation. A site can change it in its settings."""
    phone_after_days: int = 28
    """Days from the second invitation to the telephone call. Default of this project without a source: as long as
    before the second invitation. A site can change it in its settings."""
    lost_after_days: int = 28
    """Days after the telephone call at which people are lost to follow-up. Default of this project without a source: as
    long as before the call. A site can change it in its settings."""
    lost_after_months: int = 36
    """Months after the due date at which people are lost to follow-up, with or without contacts. Default of this
    project without a source: three times the interval of a year. A site can change it in its settings."""
    again_after_months: int = 12
    """Months after the telephone call, or after the person was lost without one, at which the person is due again.
    Source: NHS England, Diabetic eye screening: care pathway, 2 October 2023 (12 months after a second missed
    appointment). No site can change it."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact of the present cycle."""

    kind: ContactKind
    result: ContactResult
    on: datetime.date


@dataclass(frozen=True, slots=True)
class Eligibility:
    """The newest entry of a person in the register."""

    status: RegisterStatus
    reason: RegisterReason
    from_on: datetime.date
    until_on: datetime.date | None

    @property
    def eligible_from(self) -> datetime.date | None:
        """From when a person is invited after a time without invitations; None: was never out, or stays out."""
        if self.status in LIMITED_STATUSES and self.until_on is not None:
            return self.until_on + datetime.timedelta(days=1)
        is_again = self.status is RegisterStatus.ELIGIBLE and self.reason is not RegisterReason.ENTERED_IN_ERROR
        return self.from_on if is_again else None


def due_date(
    *,
    registered_on: datetime.date,
    screened_on: datetime.date | None,
    recall_on: datetime.date | None,
    eligibility: Eligibility | None,
) -> datetime.date | None:
    """When a person is due: at once if never screened, else at the recall date of the last result.

    ``recall_on`` is None while the referral of the last result is open, also if the review has one: who is under
    the hospital eye service is not invited, and the referral is monitored instead (NHS England, "Diabetic eye
    screening: cohort management", 27 September 2024, section 1.3). A closed referral counts as a result:
    ``screened_on`` is then its day, and ``recall_on`` what follows from it. After a suspension or an opt-out, no
    earlier than its end. None if the referral is open and the person has not become eligible again since.
    """
    due_on = recall_on if screened_on is not None else registered_on
    eligible_from = None if eligibility is None else eligibility.eligible_from
    if eligible_from is None or (screened_on is not None and eligible_from <= screened_on):
        return due_on
    return eligible_from if due_on is None else max(due_on, eligible_from)


def present_round(
    due_on: datetime.date | None, contacts: Sequence[Contact], *, rules: RecallRules, today: datetime.date
) -> tuple[datetime.date | None, list[Contact]]:
    """The due date and the contacts of the present round; None without a due date. ``contacts``: oldest first.

    A round without a result ends with a telephone call, or if the due date is too long ago. Another one follows: the
    person is due again ``again_after_months`` later, and keeps the earlier due date until the new invitation is due.
    """
    remaining = list(contacts)
    while due_on is not None:
        begins_on = _later(due_on, -rules.invite_before_days)
        calls = [one.on for one in remaining if one.kind is ContactKind.PHONE_CALL and one.on >= begins_on]
        ended_on = min([*calls[:1], add_months(due_on, rules.lost_after_months)])
        again_on = add_months(ended_on, rules.again_after_months)
        if today < _later(again_on, -rules.invite_before_days):
            break
        due_on, remaining = again_on, [one for one in remaining if one.on > ended_on]
    return due_on, remaining


def next_step(
    *, due_on: datetime.date | None, contacts: Sequence[Contact], rules: RecallRules
) -> tuple[NextStep, datetime.date] | None:
    """The next contact and from which day it is to be made; None without a due date.

    ``contacts`` are those of the present round, oldest first. One before the day of the invitation is about something
    else: it does not count. A letter that came back, or a second appointment that was missed, is followed by a
    telephone call.
    """
    if due_on is None:
        return None
    invite_on = _later(due_on, -rules.invite_before_days)
    counted = [one for one in contacts if one.on >= invite_on]
    if not counted:
        return NextStep.INVITE, invite_on
    step, days = _step_after(counted, rules)
    return step, _later(counted[-1].on, days)


def _step_after(contacts: Sequence[Contact], rules: RecallRules) -> tuple[NextStep, int]:
    """The next contact, and in how many days after the last one."""
    last, kinds = contacts[-1], {one.kind for one in contacts}
    if ContactKind.PHONE_CALL in kinds:
        return NextStep.LOST, rules.lost_after_days
    if last.result is ContactResult.RETURNED:
        return NextStep.PHONE, 0
    if ContactKind.SECOND_TRY in kinds:
        return NextStep.PHONE, rules.phone_after_days
    if ContactKind.REMINDER in kinds or last.kind is ContactKind.NO_SHOW:
        return NextStep.SECOND_TRY, rules.second_try_after_days
    return NextStep.REMIND, rules.reminder_after_days


def is_of_cycle(on: datetime.date, *, screened_on: datetime.date | None, eligibility: Eligibility | None) -> bool:
    """Whether a contact of this day counts: it was made after the last result and since the person is eligible."""
    eligible_from = None if eligibility is None else eligibility.eligible_from
    return (screened_on is None or on > screened_on) and (eligible_from is None or on >= eligible_from)


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What decides the state of a person."""

    status: RegisterStatus
    until_on: datetime.date | None
    due_on: datetime.date | None
    next_step: NextStep | None
    next_step_on: datetime.date | None
    is_in_progress: bool
    is_booked: bool = False
    """For today or later."""


def recall_state(person: PersonFacts, *, rules: RecallRules, today: datetime.date) -> RecallState:
    """The state of a person today. ``selectors.due_list`` has the same rules as a query."""
    status = status_on(person.status, person.until_on, today)
    if status is not RegisterStatus.ELIGIBLE:
        return RecallState(status.value)
    if person.is_in_progress:
        return RecallState.IN_PROGRESS
    if person.is_booked:
        return RecallState.BOOKED
    if person.due_on is None:
        return RecallState.REFERRED
    return _state_by_days(person, person.due_on, rules, today)


def _state_by_days(person: PersonFacts, due_on: datetime.date, rules: RecallRules, today: datetime.date) -> RecallState:
    has_no_step = person.next_step is NextStep.LOST and person.next_step_on is not None and person.next_step_on <= today
    if has_no_step or due_on <= lost_due_date(rules, today):
        return RecallState.LOST
    if due_on < _later(today, -rules.overdue_after_days):
        return RecallState.OVERDUE
    return RecallState.DUE if due_on <= _later(today, rules.invite_before_days) else RecallState.NOT_DUE


def lost_due_date(rules: RecallRules, today: datetime.date) -> datetime.date:
    """People who are due since this day or earlier are lost to follow-up."""
    return add_months(today, -rules.lost_after_months)


def left_exam_day(rules: RecallRules, today: datetime.date) -> datetime.date:
    """An exam that was opened, or returned to the photographer, before this day and is not handed over was left.

    It keeps no person from the next contact. The number of days is that after which a person is overdue.
    """
    return _later(today, -rules.overdue_after_days)


def _later(day: datetime.date, days: int) -> datetime.date:
    return day + datetime.timedelta(days=days)
