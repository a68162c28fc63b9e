"""States of a re-grading: photographs of a period that a model grades again."""

from enum import StrEnum


class RegradingState(StrEnum):
    """Progress of a re-grading."""

    RUNNING = "running"
    """Also while it waits for photographs that a person waits for."""
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"
    """Its version of the model is not in use any more."""


class RegradingAction(StrEnum):
    """What a manager can do with one."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


TRANSITIONS: dict[RegradingAction, dict[RegradingState, RegradingState]] = {
    RegradingAction.PAUSE: {RegradingState.RUNNING: RegradingState.PAUSED},
    RegradingAction.RESUME: {RegradingState.PAUSED: RegradingState.RUNNING},
    RegradingAction.CANCEL: {
        RegradingState.RUNNING: RegradingState.CANCELLED,
        RegradingState.PAUSED: RegradingState.CANCELLED,
    },
}
OPEN_STATES = frozenset({RegradingState.RUNNING, RegradingState.PAUSED})
MAX_IMAGES = 20_000
"""Of one re-grading: about six hours of the accurate model. No clinical number."""
