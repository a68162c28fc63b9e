"""Repeats: signed exams that come back to the same reader, to measure how well a person repeats own grades. No Django.

No source was found for any of these numbers: they are of this product.
"""

from datetime import timedelta
from enum import StrEnum

DEFAULT_REPEAT_PERCENT = 3
"""Of signed exams that their readers read blind."""
MIN_REPEAT_WEEKS, MAX_REPEAT_WEEKS, DEFAULT_REPEAT_WEEKS = 4, 26, 8
"""From the signature until the exam comes back."""
MAX_WEEKS_LATE = 12
"""After the due day: a repeat that was not read by then is dropped."""
MAX_OPEN = timedelta(days=1)
"""For the reading of a repeat that its reader has opened."""
SIGNATURE_LASTS = timedelta(days=1)
"""Looks at the exam in this time after the signature belong to it, and do not drop the repeat."""
PAUSE = timedelta(hours=1)
"""Between two repeats of one reader."""
OFFERED_PERCENT = 20
"""Of free exams before which a repeat may be offered."""


class RepeatState(StrEnum):
    """The progress of a repeat."""

    WAITING = "waiting"
    TAKEN = "taken"
    """Its reader has opened it."""
    DONE = "done"
    DROPPED = "dropped"


OPEN_STATES = frozenset({RepeatState.WAITING, RepeatState.TAKEN})


class DropReason(StrEnum):
    """Why a repeat is not read."""

    VIEWED = "viewed"
    """Its reader viewed the exam, the person or the results while it waited."""
    RESULT_CHANGED = "result_changed"
    """The result was amended or retracted, or the photographs or the person of the exam changed."""
    LATER_EXAM = "later_exam"
    """The person has a later exam."""
    READER_LEFT = "reader_left"
    SITE_CHANGED = "site_changed"
    """The site is not active, or does not read blind first any more."""
    TOO_LATE = "too_late"
    GIVEN_UP = "given_up"
    """Its reader released the exam or returned it."""
