"""States of an exam, and what changes them: the one transition table. No Django here.

The API and the worklist read these states. Services change them by ``services.exams.apply_event`` alone.
"""

from enum import StrEnum


class ExamState(StrEnum):
    """The progress of people with an exam; the progress of the model is that of its gradings."""

    OPEN = "open"
    """Photographs are being added."""
    SUBMITTED = "submitted"
    """Handed over. It waits for a reader, and none has stored anything in this reading round."""
    FIRST_READING = "first_reading"
    """A reader has stored an own reading of an eye before seeing the model's result, and no reader has signed."""
    SECOND_READING = "second_reading"
    """A reader has signed, and the protocol of the site demands the reading of another reader, who has not signed."""
    ARBITRATION = "arbitration"
    """Two readers have signed and disagree. It waits for a senior reviewer who has read none of it."""
    SIGNED = "signed"
    """There is a signed result that counts."""
    RETURNED = "returned"
    """As open: a reviewer, or the loss of a photograph, gave it back to the photographer with a reason."""
    CANCELLED = "cancelled"
    """It will not be read. Its photographs stay. The only final state."""
    ENTERED_IN_ERROR = "entered_in_error"
    """Its signed result was retracted and does not count. It waits for a reader again, as a submitted exam does."""


class ExamEvent(StrEnum):
    """What happens to an exam."""

    SUBMIT = "submit"
    TAKE_BACK = "take_back"
    """The photographer opens it again before a reader has begun."""
    STORE_READING = "store_reading"
    """A reader stores an own reading of an eye before seeing the model's result."""
    DEMAND_SECOND_READING = "demand_second_reading"
    """A first reader signs, and the protocol demands another reading."""
    DISAGREE = "disagree"
    """The second reader signs findings on which a senior reviewer has to decide."""
    SIGN = "sign"
    """The result is signed: by the only reader, by the second in agreement, or by the senior reviewer."""
    AMEND = "amend"
    MARK_IN_ERROR = "mark_in_error"
    READ_AGAIN = "read_again"
    """Photographs or patient changed after the hand-over: nothing that was read or signed counts any more."""
    RETURN = "return"
    """A reviewer returns it to the photographer."""
    LOSE_PHOTOGRAPHS = "lose_photographs"
    """A present eye has no photograph any more."""
    CANCEL = "cancel"


S, E = ExamState, ExamEvent

PHOTOGRAPHED: frozenset[ExamState] = frozenset({S.OPEN, S.RETURNED})
"""The photographer works on the exam."""
WAITING: frozenset[ExamState] = frozenset(
    {S.SUBMITTED, S.FIRST_READING, S.SECOND_READING, S.ARBITRATION, S.ENTERED_IN_ERROR}
)
"""The exam is in the worklist: it waits for a reader or for a senior reviewer."""
FIRST_READER_WAITED: frozenset[ExamState] = frozenset({S.SUBMITTED, S.FIRST_READING, S.ENTERED_IN_ERROR})
"""The exam waits for a first signature."""
FINISHED: frozenset[ExamState] = frozenset({S.SIGNED, S.CANCELLED})
FINAL: frozenset[ExamState] = frozenset({S.CANCELLED})
"""States that nothing leaves."""

TRANSITIONS: dict[tuple[ExamState, ExamEvent], ExamState] = {
    **{(state, E.SUBMIT): S.SUBMITTED for state in PHOTOGRAPHED},
    (S.SUBMITTED, E.TAKE_BACK): S.OPEN,
    (S.ENTERED_IN_ERROR, E.TAKE_BACK): S.OPEN,
    **{(state, E.STORE_READING): S.FIRST_READING for state in FIRST_READER_WAITED},
    (S.SECOND_READING, E.STORE_READING): S.SECOND_READING,
    **{(state, E.DEMAND_SECOND_READING): S.SECOND_READING for state in FIRST_READER_WAITED},
    (S.SECOND_READING, E.DISAGREE): S.ARBITRATION,
    **{(state, E.SIGN): S.SIGNED for state in WAITING},
    (S.SIGNED, E.AMEND): S.SIGNED,
    (S.SIGNED, E.MARK_IN_ERROR): S.ENTERED_IN_ERROR,
    **{(state, E.READ_AGAIN): S.SUBMITTED for state in WAITING | {S.SIGNED}},
    **{(state, E.RETURN): S.RETURNED for state in WAITING},
    **{(state, E.LOSE_PHOTOGRAPHS): S.RETURNED for state in WAITING | {S.SIGNED}},
    # After a reader has signed findings, an exam is cancelled only by way of its return: a positive must not vanish.
    **{(state, E.CANCEL): S.CANCELLED for state in PHOTOGRAPHED | FIRST_READER_WAITED},
}


class NoTransition(ValueError):
    """The event cannot happen to an exam in this state."""

    def __init__(self, state: ExamState, event: ExamEvent) -> None:
        super().__init__(f"The event “{event}” cannot happen to an exam whose state is “{state}”.")
        self.state, self.event = state, event


def next_state(state: ExamState, event: ExamEvent) -> ExamState:
    """The state after ``event``. Raises NoTransition."""
    try:
        return TRANSITIONS[ExamState(state), event]
    except KeyError:
        raise NoTransition(ExamState(state), event) from None


def can_happen(state: ExamState, event: ExamEvent) -> bool:
    """Whether ``event`` can happen to an exam in this state."""
    return (state, event) in TRANSITIONS


def is_readable(state: ExamState) -> bool:
    """Whether the exam waits for a reader, or is signed."""
    return state in WAITING or state is S.SIGNED
