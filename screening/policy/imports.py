"""Imports of files: the states that one goes through, and what happens with each row."""

from enum import StrEnum


class ImportKind(StrEnum):
    """What the rows of a file are."""

    PEOPLE = "people"
    BOOKINGS = "bookings"


class ImportState(StrEnum):
    """How far an import is."""

    READING = "reading"
    """The file waits, or is read: format, columns, number of rows."""
    ASKING = "asking"
    """Whether the day or the month comes first in its dates is not known: a person answers."""
    CHECKING = "checking"
    CHECKED = "checked"
    """Nothing is written yet: a person decides."""
    APPLYING = "applying"
    APPLIED = "applied"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    """The file as a whole cannot be imported."""
    EXPIRED = "expired"
    """No person decided in time."""


ACTIVE_STATES = (
    ImportState.READING,
    ImportState.ASKING,
    ImportState.CHECKING,
    ImportState.CHECKED,
    ImportState.APPLYING,
)
"""A site has at most one import in these states."""
WORKING_STATES = (ImportState.READING, ImportState.CHECKING, ImportState.APPLYING)
"""A worker has the import, or should have it."""
CANCELLABLE_STATES = tuple(state for state in ACTIVE_STATES if state is not ImportState.APPLYING)


class RowState(StrEnum):
    """What will happen with a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    QUESTION = "question"
    """A person decides: without an answer the row is left out."""
    REFUSED = "refused"


class RowAction(StrEnum):
    """What is written for a row that is not left out."""

    ADD = "add"
    CHANGE = "change"
    NONE = "none"


class RowAnswer(StrEnum):
    """The decision about a row with a question."""

    OPEN = ""
    ACCEPT = "accept"
    LEAVE_OUT = "leave_out"


class DateOrder(StrEnum):
    """What comes first in dates such as 03/04/1960."""

    UNKNOWN = ""
    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"
