"""Letters: their kinds, the variables that each text can have, and what is wrong with a text.

A letter is closed and addressed: unlike a message it may name a disease and a result.
"""

from enum import StrEnum
from typing import Literal

from screening.policy.message_texts import FoundProblem, TextProblem, shape_problem
from screening.policy.messages import MessageChannel, MessageKind
from screening.policy.outcome_tables import Outcome
from screening.policy.recall import ContactChannel


class LetterKind(StrEnum):
    """Kinds of texts of letters. The codes of call and recall are those of ``MessageKind``."""

    INVITATION = "invitation"
    REMINDER = "reminder"
    DID_NOT_ATTEND = "did_not_attend"
    RESULT_RESCREEN = "result_rescreen"
    RESULT_REPEAT = "result_repeat"
    RESULT_SLIT_LAMP = "result_slit_lamp"
    RESULT_REFER = "result_refer"
    RESULT_URGENT = "result_urgent"
    DOCTOR = "doctor"
    """The result, to the general practitioner or the person who referred."""
    HOSPITAL = "hospital"
    """The referral."""


class LetterVariant(StrEnum):
    """How a letter is set."""

    STANDARD = "standard"
    LARGE_PRINT = "large_print"
    """18 pt: Royal National Institute of Blind People, Clear print and large print guidelines: 16 pt or more."""
    PLAIN_TEXT = "plain_text"
    """A text file, for screen readers and braille printers."""


class BatchState(StrEnum):
    """The progress of letters that are made at once."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class LetterReason(StrEnum):
    """Why a person of a list gets no letter."""

    NOT_INVITED = "not_invited"
    """Deceased, moved, excluded, suspended or opted out of screening."""
    DECEASED = "deceased"
    NOTHING_TO_DO = "nothing"
    """Of the due list: no contact by letter is to be made today."""
    WAITING = "waiting"
    """A message for the same step waits."""
    NO_ADDRESS = "no_address"
    MADE_BEFORE = "made_before"
    """A letter of this kind about this result was made."""
    LATER_RESULT = "later_result"
    """A later exam of the person has a result, which the letter would contradict."""
    REFUSED = "refused"
    """The record has changed, or what the text needs is missing."""
    FAILED = "failed"


TextKind = MessageKind | LetterKind
TextChannel = MessageChannel | Literal[ContactChannel.LETTER]
RESULT_KINDS: dict[Outcome, LetterKind] = {
    Outcome.RESCREEN: LetterKind.RESULT_RESCREEN,
    Outcome.REPEAT_IMAGING: LetterKind.RESULT_REPEAT,
    Outcome.REFER_SLIT_LAMP: LetterKind.RESULT_SLIT_LAMP,
    Outcome.REFER: LetterKind.RESULT_REFER,
    Outcome.REFER_URGENT: LetterKind.RESULT_URGENT,
}
"""The text of the result letter to the patient, by outcome."""
MAX_LETTER_CHARS = 3000
"""A page of standard print has about 2800. Of this product."""
_PERSON = ("name", "site", "phone")
_CLINICAL = (*_PERSON, "born", "mrn", "visit_day", "result", "urgency", "right_eye", "left_eye", "recall_day", "reader")
_VARIABLES: dict[LetterKind, tuple[str, ...]] = {
    **dict.fromkeys(LetterKind, (*_PERSON, "visit_day")),
    **dict.fromkeys((LetterKind.INVITATION, LetterKind.REMINDER, LetterKind.DID_NOT_ATTEND), _PERSON),
    LetterKind.RESULT_RESCREEN: (*_PERSON, "visit_day", "recall_day"),
    LetterKind.DOCTOR: _CLINICAL,
    LetterKind.HOSPITAL: _CLINICAL,
}
_REQUIRED: dict[LetterKind, tuple[str, ...]] = {
    **dict.fromkeys(LetterKind, ("phone",)),
    LetterKind.RESULT_RESCREEN: ("visit_day", "recall_day", "phone"),
    LetterKind.DOCTOR: ("name", "born", "visit_day", "result", "right_eye", "left_eye"),
    LetterKind.HOSPITAL: ("name", "born", "visit_day", "urgency", "right_eye", "left_eye"),
}


def letter_variables(kind: LetterKind) -> tuple[str, ...]:
    """Variables that a text of this kind can have."""
    return _VARIABLES[kind]


def letter_problem(*, kind: LetterKind, subject: str, body: str) -> FoundProblem | None:
    """What is wrong with a text; None if nothing is."""
    if not body.strip():
        return FoundProblem("body", TextProblem.EMPTY)
    if not subject.strip():
        return FoundProblem("subject", TextProblem.LETTER_SUBJECT_MISSING)
    if "\n" in subject or "\r" in subject:
        return FoundProblem("subject", TextProblem.SUBJECT_LINES)
    for field, text in (("subject", subject), ("body", body)):
        found = shape_problem(field, text, lambda name: _variable_problem(kind, name))
        if found is not None:
            return found
    missing = next((name for name in _REQUIRED[kind] if f"{{{name}}}" not in body), None)
    if missing is not None:
        return FoundProblem("body", TextProblem.VARIABLE_MISSING, missing)
    is_long = len(body) > MAX_LETTER_CHARS
    return FoundProblem("body", TextProblem.TOO_LONG, str(MAX_LETTER_CHARS)) if is_long else None


def _variable_problem(kind: LetterKind, name: str) -> TextProblem | None:
    return None if name in _VARIABLES[kind] else TextProblem.UNKNOWN_VARIABLE
