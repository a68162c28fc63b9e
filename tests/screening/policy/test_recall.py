"""Due dates, states and next contacts of call and recall."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screening.labels.recall import STATE_LABELS, STEP_LABELS
from screening.policy.outcomes import add_months
from screening.policy.recall import (
    Contact,
    ContactKind,
    ContactResult,
    Eligibility,
    NextStep,
    PersonFacts,
    RecallRules,
    RecallState,
    due_date,
    next_step,
    present_round,
    recall_state,
)
from screening.policy.register import LIMITED_STATUSES, RegisterReason, RegisterStatus
from tests.screening.policy.test_lesions import BUDGET

TODAY = datetime.date(2026, 11, 27)
RULES = RecallRules()
K, R, S = ContactKind, ContactResult, RegisterStatus


def day(n: int) -> datetime.date:
    return TODAY + datetime.timedelta(days=n)


def person(**changes: object) -> PersonFacts:
    values: dict[str, object] = {
        "status": S.ELIGIBLE,
        "until_on": None,
        "due_on": TODAY,
        "next_step": NextStep.INVITE,
        "next_step_on": TODAY,
        "is_in_progress": False,
        **changes,
    }
    return PersonFacts(**values)  # type: ignore[arg-type]  # a table of tests


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"due_on": day(43)}, RecallState.NOT_DUE),
        ({"due_on": day(42)}, RecallState.DUE),
        ({"due_on": day(-42)}, RecallState.DUE),
        ({"due_on": day(-43)}, RecallState.OVERDUE),
        ({"due_on": datetime.date(2023, 11, 28)}, RecallState.OVERDUE),
        ({"due_on": datetime.date(2023, 11, 27)}, RecallState.LOST),
        ({"next_step": NextStep.LOST}, RecallState.LOST),
        ({"next_step": NextStep.LOST, "next_step_on": day(1)}, RecallState.DUE),
        ({"due_on": None, "next_step": None, "next_step_on": None}, RecallState.REFERRED),
        ({"due_on": day(-43), "is_in_progress": True}, RecallState.IN_PROGRESS),
        ({"status": S.DECEASED, "is_in_progress": True}, RecallState.DECEASED),
        ({"status": S.OPTED_OUT, "until_on": TODAY}, RecallState.OPTED_OUT),
        ({"status": S.OPTED_OUT, "until_on": day(-1)}, RecallState.DUE),
    ],
)
def test_the_state_of_a_person(changes: dict[str, object], expected: RecallState) -> None:
    assert recall_state(person(**changes), rules=RULES, today=TODAY) is expected


days = st.integers(-1500, 800).map(day)


@BUDGET
@given(
    status=st.sampled_from(S),
    until=days,
    due_on=st.none() | days,
    step=st.sampled_from(NextStep),
    step_on=days,
    is_in_progress=st.booleans(),
)
def test_everyone_has_one_state_and_a_due_date_or_a_reason(
    status: RegisterStatus,
    until: datetime.date,
    due_on: datetime.date | None,
    step: NextStep,
    step_on: datetime.date,
    is_in_progress: bool,
) -> None:
    facts = person(
        status=status,
        until_on=until if status in LIMITED_STATUSES else None,
        due_on=due_on,
        next_step=None if due_on is None else step,
        next_step_on=None if due_on is None else step_on,
        is_in_progress=is_in_progress,
    )
    state = recall_state(facts, rules=RULES, today=TODAY)
    has_reason = state in {*map(RecallState, set(S) - {S.ELIGIBLE}), RecallState.REFERRED, RecallState.IN_PROGRESS}
    assert has_reason or facts.due_on is not None
    is_out = status is not S.ELIGIBLE and not (status in LIMITED_STATUSES and until < TODAY)
    assert (state.value == status.value) is is_out


def entry(status: RegisterStatus, reason: RegisterReason, from_on: int, until_on: int | None = None) -> Eligibility:
    return Eligibility(status, reason, day(from_on), None if until_on is None else day(until_on))


HOSPITAL = RegisterReason.HOSPITAL_EYE_SERVICE


@pytest.mark.parametrize(
    ("screened", "recall", "eligibility", "expected"),
    [
        (None, None, None, -100),  # never screened: since the registration
        (-50, 315, None, 315),
        (-50, None, None, None),  # the referral decides
        (None, None, entry(S.SUSPENDED, HOSPITAL, -90, 10), 11),
        (-50, 5, entry(S.SUSPENDED, HOSPITAL, -40, 10), 11),
        (-50, 315, entry(S.SUSPENDED, HOSPITAL, -40, 10), 315),
        (-50, None, entry(S.SUSPENDED, HOSPITAL, -40, 10), 11),  # referred, and then discharged
        (-50, 5, entry(S.ELIGIBLE, RegisterReason.PERIOD_ENDED, 20), 20),
        (-50, 5, entry(S.ELIGIBLE, RegisterReason.PERIOD_ENDED, -60), 5),  # before the result
        (None, None, entry(S.ELIGIBLE, RegisterReason.ENTERED_IN_ERROR, -1), -100),
    ],
)
def test_when_a_person_is_due(
    screened: int | None, recall: int | None, eligibility: Eligibility | None, expected: int | None
) -> None:
    found = due_date(
        registered_on=day(-100),
        screened_on=None if screened is None else day(screened),
        recall_on=None if recall is None else day(recall),
        eligibility=eligibility,
    )
    assert found == (None if expected is None else day(expected))


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        ([], (NextStep.INVITE, -42)),
        ([(K.INVITATION, R.SENT, 0)], (NextStep.REMIND, 14)),
        ([(K.INVITATION, R.RETURNED, 0)], (NextStep.PHONE, 0)),
        ([(K.INVITATION, R.SENT, 0), (K.REMINDER, R.SENT, 14)], (NextStep.SECOND_TRY, 42)),
        ([(K.INVITATION, R.SENT, 0), (K.NO_SHOW, R.NOT_REACHED, 20)], (NextStep.SECOND_TRY, 48)),
        ([(K.NO_SHOW, R.NOT_REACHED, 20), (K.SECOND_TRY, R.SENT, 30)], (NextStep.PHONE, 58)),
        ([(K.SECOND_TRY, R.SENT, 30), (K.NO_SHOW, R.NOT_REACHED, 40)], (NextStep.PHONE, 68)),
        ([(K.SECOND_TRY, R.SENT, 30), (K.PHONE_CALL, R.NOT_REACHED, 58)], (NextStep.LOST, 86)),
    ],
)
def test_which_contact_is_next(
    contacts: list[tuple[ContactKind, ContactResult, int]], expected: tuple[NextStep, int]
) -> None:
    rows = [Contact(kind, result, day(on)) for kind, result, on in contacts]
    assert next_step(due_on=TODAY, contacts=rows, rules=RULES) == (expected[0], day(expected[1]))
    assert next_step(due_on=None, contacts=rows, rules=RULES) is None


def test_a_contact_before_the_invitation_is_due_does_not_end_the_cycle() -> None:
    early = Contact(K.PHONE_CALL, R.NOT_REACHED, day(-43))
    assert next_step(due_on=TODAY, contacts=[early], rules=RULES) == (NextStep.INVITE, day(-42))
    letter = Contact(K.INVITATION, R.SENT, day(-42))
    assert next_step(due_on=TODAY, contacts=[early, letter], rules=RULES) == (NextStep.REMIND, day(-28))


@BUDGET
@given(st.lists(st.tuples(st.sampled_from(K), st.sampled_from(R)), max_size=12))
def test_contacts_without_effect_end(tries: list[tuple[ContactKind, ContactResult]]) -> None:
    """After any contacts, following the steps leads to "lost" in at most four contacts."""
    kinds = {
        NextStep.INVITE: K.INVITATION,
        NextStep.REMIND: K.REMINDER,
        NextStep.SECOND_TRY: K.SECOND_TRY,
        NextStep.PHONE: K.PHONE_CALL,
    }
    contacts = [Contact(kind, result, day(n)) for n, (kind, result) in enumerate(tries)]
    for _number in range(4):
        found = next_step(due_on=TODAY, contacts=contacts, rules=RULES)
        assert found is not None
        if found[0] is NextStep.LOST:
            return
        contacts.append(Contact(kinds[found[0]], R.SENT, max(found[1], contacts[-1].on if contacts else TODAY)))
    found = next_step(due_on=TODAY, contacts=contacts, rules=RULES)
    assert found is not None
    assert found[0] is NextStep.LOST


def test_who_did_not_react_is_due_again_each_year() -> None:
    """12 months after each telephone call; contacts of an earlier round do not count in the next one."""
    called, again = Contact(K.PHONE_CALL, R.NOT_REACHED, day(0)), add_months(TODAY, 12)
    contacts = [Contact(K.INVITATION, R.SENT, day(-70)), called, Contact(K.REMINDER, R.SENT, day(90))]
    invited_again = Contact(K.INVITATION, R.SENT, again - datetime.timedelta(days=42))

    def found(today: datetime.date, *more: Contact) -> tuple[datetime.date | None, object]:
        due_on, counted = present_round(day(-30), [*contacts, *more], rules=RULES, today=today)
        step = next_step(due_on=due_on, contacts=counted, rules=RULES)
        return due_on, step and step[0]

    assert present_round(None, contacts, rules=RULES, today=TODAY)[0] is None
    assert present_round(day(-30), contacts[:1], rules=RULES, today=day(1000)) == (day(-30), contacts[:1])
    assert found(invited_again.on - datetime.timedelta(days=1)) == (day(-30), NextStep.LOST)
    assert found(invited_again.on) == (again, NextStep.INVITE)
    assert found(invited_again.on, invited_again) == (again, NextStep.REMIND)
    call = Contact(K.PHONE_CALL, R.REACHED, again)
    assert found(again, invited_again, call) == (again, NextStep.LOST)
    assert found(add_months(again, 11), invited_again, call) == (add_months(again, 12), NextStep.INVITE)
    never_called = present_round(day(-30), contacts[:1], rules=RULES, today=add_months(day(-30), 47))
    assert never_called == (add_months(day(-30), 48), [])


def test_every_code_has_a_text() -> None:
    assert set(STATE_LABELS) == set(RecallState)
    assert set(STEP_LABELS) == set(NextStep)
