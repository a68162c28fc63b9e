"""The transition table of exams, every pair of state and event."""

from itertools import product

import pytest

from screening.labels.exam_states import EXAM_STATE_LABELS
from screening.policy.exam_states import (
    FINAL,
    FINISHED,
    FIRST_READER_WAITED,
    PHOTOGRAPHED,
    TRANSITIONS,
    WAITING,
    ExamEvent,
    ExamState,
    NoTransition,
    can_happen,
    next_state,
)

FROM_TO: dict[str, dict[str, str]] = {
    "open": {"submit": "submitted", "cancel": "cancelled"},
    "returned": {"submit": "submitted", "cancel": "cancelled"},
    "submitted": {
        "take_back": "open",
        "store_reading": "first_reading",
        "demand_second_reading": "second_reading",
        "sign": "signed",
        "read_again": "submitted",
        "return": "returned",
        "lose_photographs": "returned",
        "cancel": "cancelled",
    },
    "first_reading": {
        "store_reading": "first_reading",
        "demand_second_reading": "second_reading",
        "sign": "signed",
        "read_again": "submitted",
        "return": "returned",
        "lose_photographs": "returned",
        "cancel": "cancelled",
    },
    "second_reading": {
        "store_reading": "second_reading",
        "disagree": "arbitration",
        "sign": "signed",
        "read_again": "submitted",
        "return": "returned",
        "lose_photographs": "returned",
    },
    "arbitration": {
        "sign": "signed",
        "read_again": "submitted",
        "return": "returned",
        "lose_photographs": "returned",
    },
    "signed": {
        "amend": "signed",
        "mark_in_error": "entered_in_error",
        "read_again": "submitted",
        "lose_photographs": "returned",
    },
    "cancelled": {},
    "entered_in_error": {
        "take_back": "open",
        "store_reading": "first_reading",
        "demand_second_reading": "second_reading",
        "sign": "signed",
        "read_again": "submitted",
        "return": "returned",
        "lose_photographs": "returned",
        "cancel": "cancelled",
    },
}


@pytest.mark.parametrize(("state", "event"), list(product(ExamState, ExamEvent)))
def test_every_event_in_every_state(state: ExamState, event: ExamEvent) -> None:
    expected = FROM_TO[state].get(event)
    assert can_happen(state, event) is (expected is not None)
    if expected is not None:
        assert next_state(state, event) is ExamState(expected)
        return
    with pytest.raises(NoTransition, match=f"“{event}”.*“{state}”") as raised:
        next_state(state, event)
    assert (raised.value.state, raised.value.event) == (state, event)


def reachable(start: ExamState) -> set[ExamState]:
    found, before = {start}, set[ExamState]()
    while found != before:
        before = set(found)
        found |= {after for (state, _event), after in TRANSITIONS.items() if state in before}
    return found


def test_each_state_is_reached_and_only_a_cancelled_exam_stays_as_it_is() -> None:
    assert reachable(ExamState.OPEN) == set(ExamState)
    assert {state for state in ExamState if reachable(state) == {state}} == FINAL
    for state in set(ExamState) - FINAL:
        assert ExamState.SIGNED in reachable(state), f"an exam is lost in “{state}”"


def test_each_event_happens_somewhere_and_each_state_is_in_one_group() -> None:
    assert {event for _state, event in TRANSITIONS} == set(ExamEvent)
    assert set(ExamState) == PHOTOGRAPHED | WAITING | FINISHED
    assert sum(map(len, (PHOTOGRAPHED, WAITING, FINISHED))) == len(ExamState)
    assert FIRST_READER_WAITED < WAITING
    assert set(EXAM_STATE_LABELS) == set(ExamState)


def test_a_signed_reading_cannot_vanish_by_a_cancellation() -> None:
    cancelled_from = {state for state, event in TRANSITIONS if event is ExamEvent.CANCEL}
    assert cancelled_from.isdisjoint({ExamState.SECOND_READING, ExamState.ARBITRATION, ExamState.SIGNED})
