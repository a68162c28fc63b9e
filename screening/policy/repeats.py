"""Repeats: signed exams that come back to the same reader, to measure how well a person repeats own grades. No Django.

No source was found for these numbers; each has beside it why it has this value.
"""

from datetime import timedelta
from enum import StrEnum

DEFAULT_REPEAT_PERCENT = 3
"""Percent of the signed exams, read blind, that come back to their reader. Default of this project without a source:
about 50 exams a year of a reader who signs 1700, little enough not to delay others. A site can change it in its
reading protocol."""
DEFAULT_REPEAT_WEEKS = 8
"""Weeks from the signature until the exam comes back. Default of this project without a source: long enough to forget
one exam among hundreds. A site can change it in its reading protocol."""
MIN_REPEAT_WEEKS = 4
"""Fewest weeks that a site can choose. Default of this project without a source: the reader should have forgotten the
exam. No site can change it."""
MAX_REPEAT_WEEKS = 26
"""Most weeks that a site can choose. Default of this project without a source: before the person's next screening. No
site can change it."""
MAX_WEEKS_LATE = 12
"""Weeks after the due day at which a repeat that was not read is dropped. Default of this project without a source: a
reader who was absent for a quarter of a year is not measured by old exams. No site can change it."""
MAX_OPEN = timedelta(days=1)
"""Time for the reading of a repeat that its reader has opened. Default of this project without a source: a working
day. No site can change it."""
SIGNATURE_LASTS = timedelta(days=1)
"""Views of the exam in this time after the signature belong to it, and do not drop the repeat. Default of this project
without a source: a working day. No site can change it."""
PAUSE = timedelta(hours=1)
"""Time between two repeats of one reader. Default of this project without a source: so that they are not recognised as
a series. No site can change it."""
OFFERED_PERCENT = 20
"""Percent of the free exams before which a repeat may be offered. Default of this project without a source: so that a
due repeat does not always come first and is recognised by that. No site can change it."""


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
