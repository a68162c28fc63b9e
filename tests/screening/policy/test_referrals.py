"""The table of transitions of referrals, due days, and what an amendment does: every case."""

import datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.vocabulary import ICDRGrade
from screening.labels.referrals import STATE_LABELS, STEP_LABELS, TREATMENT_LABELS, Treatment
from screening.policy import GradingScale, MacularOedema, Outcome, Urgency, add_months, default_table
from screening.policy.proportions import Proportion
from screening.policy.referrals import (
    CLOSED_STATES,
    FEEDBACK_STATES,
    REFERRAL_OUTCOMES,
    STEPS,
    AmendmentEffect,
    HospitalFinding,
    ReferralState,
    due_after_result,
    effect_of_amendment,
    is_late,
    next_due_on,
    step_of,
    steps_from,
)

S = ReferralState
DAY = datetime.date(2026, 3, 2)
ALLOWED = {
    S.MADE: {S.SENT, S.DECLINED},
    S.SENT: {S.RECEIVED, S.BOOKED, S.MADE, S.DECLINED},
    S.RECEIVED: {S.BOOKED, S.SENT, S.DECLINED},
    S.BOOKED: {S.ATTENDED, S.BOOKED, S.RECEIVED, S.DECLINED},
    S.ATTENDED: {S.BOOKED},
    S.RESULT_BACK: set(),
    S.DECLINED: {S.MADE},
    S.WITHDRAWN: set(),
}
FORWARD = {
    (S.MADE, S.SENT),
    (S.SENT, S.RECEIVED),
    (S.SENT, S.BOOKED),
    (S.RECEIVED, S.BOOKED),
    (S.BOOKED, S.ATTENDED),
}


@pytest.mark.parametrize(("state", "to"), list(product(S, S)))
def test_a_transition_is_allowed_as_in_the_table_and_only_forward_without_a_reason(state: S, to: S) -> None:
    step = step_of(state, to)
    assert (step is not None) is (to in ALLOWED[state])
    if step is not None:
        assert step.needs_note is ((state, to) not in FORWARD)


def test_each_transition_is_listed_once_with_a_label() -> None:
    pairs = [(one.state, one.to) for one in STEPS]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == set(STEP_LABELS)
    assert set(STATE_LABELS) == set(S)
    assert set(TREATMENT_LABELS) == set(Treatment)
    assert {one for state in S for one in steps_from(state)} == set(STEPS)


@pytest.mark.parametrize("state", sorted(frozenset(S) - CLOSED_STATES))
def test_each_open_referral_can_be_closed(state: S) -> None:
    reached, found = {state}, {state}
    while found:
        found = {one.to for each in found for one in steps_from(each)} - reached
        reached |= found
    assert reached & FEEDBACK_STATES
    assert reached & CLOSED_STATES


@given(st.sampled_from(sorted(S)), *(st.dates(datetime.date(2020, 1, 1), datetime.date(2030, 1, 1)) for _ in range(5)))
def test_an_open_referral_is_due_and_a_closed_one_is_not(
    state: S, sent: datetime.date, seen: datetime.date, booked: datetime.date, back: datetime.date, today: datetime.date
) -> None:
    due_on = next_due_on(state, send_by=sent, see_by=seen, appointment_on=booked, result_by=back)
    assert (due_on is None) is (state in CLOSED_STATES)
    assert is_late(due_on, today) is (due_on is not None and due_on < today)
    if state is S.BOOKED:
        assert due_on == min(seen, booked)


@pytest.mark.parametrize(
    ("state", "due_on"),
    [(S.MADE, 14), (S.SENT, 42), (S.RECEIVED, 42), (S.BOOKED, 30), (S.ATTENDED, 60), (S.RESULT_BACK, None)],
)
def test_the_next_step_is_due_on_the_day_of_its_target(state: S, due_on: int | None) -> None:
    days = {name: DAY + datetime.timedelta(n) for name, n in (("send_by", 14), ("see_by", 42), ("appointment_on", 30))}
    found = next_due_on(state, **days, result_by=DAY + datetime.timedelta(60))
    assert found == (None if due_on is None else DAY + datetime.timedelta(due_on))


def test_a_step_is_late_from_the_day_after_it_was_due() -> None:
    assert [is_late(DAY, DAY + datetime.timedelta(n)) for n in (-1, 0, 1)] == [False, False, True]


REFER, SLIT_LAMP = (Outcome.REFER, Urgency.SOON), (Outcome.REFER_SLIT_LAMP, Urgency.SOON)
URGENT, IMMEDIATE = (Outcome.REFER_URGENT, Urgency.IMMEDIATE), (Outcome.REFER, Urgency.IMMEDIATE)
E = AmendmentEffect


@pytest.mark.parametrize("state", sorted(set(S) - {S.WITHDRAWN}))
def test_an_amendment_that_does_not_refer_withdraws_all_but_a_recorded_result(state: S) -> None:
    for outcome in set(Outcome) - REFERRAL_OUTCOMES:
        effect = effect_of_amendment(state, before=URGENT, after=(outcome, Urgency.ROUTINE))
        assert effect is (E.KEEP if state is S.RESULT_BACK else E.WITHDRAW)


@pytest.mark.parametrize("state", sorted(set(S) - {S.WITHDRAWN}))
def test_an_amendment_with_the_same_outcome_continues_the_referral(state: S) -> None:
    for one in (REFER, SLIT_LAMP, URGENT):
        assert effect_of_amendment(state, before=one, after=one) is E.CONTINUE


@pytest.mark.parametrize("state", sorted(set(S) - {S.WITHDRAWN}))
def test_one_that_the_hospital_has_is_replaced_if_it_becomes_more_urgent_or_another_one(state: S) -> None:
    is_with_hospital = state in {S.SENT, S.RECEIVED, S.BOOKED}
    changed = E.REPLACE if is_with_hospital or state is S.DECLINED else E.CONTINUE
    for before, after in ((REFER, URGENT), (REFER, IMMEDIATE), (REFER, SLIT_LAMP), (URGENT, REFER)):
        assert effect_of_amendment(state, before=before, after=after) is changed
    less_urgent = effect_of_amendment(state, before=IMMEDIATE, after=REFER)
    assert less_urgent is (E.REPLACE if state is S.DECLINED else E.CONTINUE)


@pytest.mark.parametrize(
    ("n_positive", "n", "low", "high"),
    # Newcombe, Statistics in Medicine 1998; 17: 857-872, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_wilson_interval_is_that_of_the_published_examples(
    n_positive: int, n: int, low: float, high: float
) -> None:
    assert Proportion(n_positive, n).interval == pytest.approx((low, high), abs=5e-5)


def test_nothing_has_no_proportion() -> None:
    assert (Proportion(0, 0).value, Proportion(0, 0).interval) == (None, None)


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_contains_the_proportion(n_positive: int, n: int) -> None:
    one = Proportion(min(n_positive, n), n)
    assert one.value is not None
    assert one.interval is not None
    assert 0 <= one.interval[0] <= one.value + 1e-12
    assert one.value <= one.interval[1] + 1e-12 <= 1 + 1e-9


NONE, CENTRE, UNKNOWN = MacularOedema.NONE, MacularOedema.CENTRE, MacularOedema.UNKNOWN
ABSENT = HospitalFinding(None, UNKNOWN, is_absent=True)


@pytest.mark.parametrize(
    ("right", "left", "months"),
    [
        (HospitalFinding(ICDRGrade(0), NONE), HospitalFinding(ICDRGrade(0), NONE), 12),
        (HospitalFinding(ICDRGrade(0), NONE), HospitalFinding(ICDRGrade(2), NONE), 6),
        (HospitalFinding(ICDRGrade(0), NONE), ABSENT, 12),
        (HospitalFinding(ICDRGrade(0), NONE), HospitalFinding(None, NONE), None),  # not stated: never a negative
        (HospitalFinding(ICDRGrade(0), UNKNOWN), HospitalFinding(ICDRGrade(0), NONE), None),
    ],
)
@pytest.mark.parametrize("scale", list(GradingScale))
def test_a_person_is_due_after_the_result_of_the_hospital_by_the_worse_eye(
    right: HospitalFinding, left: HospitalFinding, months: int | None, scale: GradingScale
) -> None:
    day = datetime.date(2026, 3, 1)
    expected = None if months is None else add_months(day, months)
    assert due_after_result(day, right, left, table=default_table(scale)) == expected
