"""Texts of messages: plain text with a fixed list of ``{variables}``, checked so that they reveal nothing clinical."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from screening.policy.messages import MessageChannel, MessageKind

VARIABLES = ("name", "sender", "site", "phone")
APPOINTMENT_VARIABLES = ("day", "time")
_VARIABLE = re.compile(r"\{([^{}]*)\}")
MAX_SUBJECT_CHARS = 120
MAX_EMAIL_CHARS = 2000
MAX_SMS_SEGMENTS = 3
"""Each is paid for, and some networks drop longer messages. Of this product."""
REVEALING_VARIABLES = (
    "grade", "outcome", "result", "urgency", "finding", "oedema", "edema", "acuity", "diagnosis", "diabetes",
    "diabetes_type", "diabetes_since_year", "treatment", "mrn", "born_on", "birth_date", "age", "sex", "due_on",
    "hospital", "referral", "reason", "status",
)  # fmt: skip
CLINICAL_STEMS = (
    "diabet", "sugar", "zucker", "insulin", "hba1c", "retin", "netzhaut", "macul", "makul", "fovea", "fundus",
    "oedem", "odem", "edem", "blind", "vision loss", "sight-threat", "laser", "injection", "injektion", "inyeccion",
    "vitre", "glaucom", "glaukom", "cataract", "katarakt", "haemorrh", "hemorrh", "aneurysm", "prolifer", "npdr",
    "lesion", "abnormal", "positiv", "negativ", "normal", "patholog", "referable",
    "ungradable", "diagnos", "disease", "krankheit", "maladie", "enfermedad", "surgery", "operation",
)  # fmt: skip
"""Beginnings of words that reveal a disease, an examination or a result, in English, German, French and Spanish.

NB: a help, and not complete: the person who writes a text reads it as a stranger would.
"""
# GSM 03.38 (3GPP TS 23.038), basic character set and its extension, whose characters count twice. From general
# knowledge: the standard was not available for comparison.
_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("^{}\\[~]|€")
_GSM_CHARS, _UCS2_CHARS = (160, 153), (70, 67)
"""Of a message with one segment, and of each segment of a longer one."""


class TextProblem(StrEnum):
    """Why a text is refused."""

    EMPTY = "empty"
    SUBJECT_MISSING = "subject_missing"
    LETTER_SUBJECT_MISSING = "letter_subject_missing"
    SUBJECT_SURPLUS = "subject_surplus"
    SUBJECT_LINES = "subject_lines"
    CONTROL = "control"
    BRACES = "braces"
    UNKNOWN_VARIABLE = "unknown_variable"
    REVEALING_VARIABLE = "revealing_variable"
    APPOINTMENT_VARIABLE = "appointment_variable"
    DAY_MISSING = "day_missing"
    VARIABLE_MISSING = "variable_missing"
    HTML = "html"
    CLINICAL = "clinical"
    TOO_LONG = "too_long"
    TOO_MANY_SEGMENTS = "too_many_segments"


@dataclass(frozen=True, slots=True)
class FoundProblem:
    """A problem of ``field`` ("subject" or "body"); ``detail`` is the variable, the word or the number."""

    field: str
    problem: TextProblem
    detail: str = ""


def variables_of(kind: MessageKind) -> tuple[str, ...]:
    """Variables that a text of this kind can have."""
    return VARIABLES + (APPOINTMENT_VARIABLES if kind is MessageKind.APPOINTMENT else ())


def text_problem(
    *, kind: MessageKind, channel: MessageChannel, subject: str, body: str, example: Mapping[str, str]
) -> FoundProblem | None:
    """What is wrong with a text; None if nothing is. ``example`` has long values, for the length."""
    return (
        _form_problem(channel, subject, body)
        or _content_problem("subject", subject, kind)
        or _content_problem("body", body, kind)
        or _length_problem(channel, subject, body, example)
    )


def _form_problem(channel: MessageChannel, subject: str, body: str) -> FoundProblem | None:
    if not body.strip():
        return FoundProblem("body", TextProblem.EMPTY)
    if channel is MessageChannel.SMS and subject:
        return FoundProblem("subject", TextProblem.SUBJECT_SURPLUS)
    if channel is MessageChannel.EMAIL and not subject.strip():
        return FoundProblem("subject", TextProblem.SUBJECT_MISSING)
    has_lines = "\n" in subject or "\r" in subject
    return FoundProblem("subject", TextProblem.SUBJECT_LINES) if has_lines else None


def shape_problem(field: str, text: str, variable_problem: Callable[[str], TextProblem | None]) -> FoundProblem | None:
    """A character that cannot be printed, a variable that is refused, or a brace that is left over."""
    if any(unicodedata.category(char) == "Cc" and char not in "\r\n" for char in text):
        return FoundProblem(field, TextProblem.CONTROL)
    for name in _VARIABLE.findall(text):
        problem = variable_problem(name)
        if problem is not None:
            return FoundProblem(field, problem, name[:40])
    rest = _VARIABLE.sub("", text)
    return FoundProblem(field, TextProblem.BRACES) if "{" in rest or "}" in rest else None


def _content_problem(field: str, text: str, kind: MessageKind) -> FoundProblem | None:
    found = shape_problem(field, text, lambda name: _variable_problem(name, kind))
    if found is not None:
        return found
    rest = _VARIABLE.sub("", text)
    if "<" in rest or ">" in rest or re.search(r"&#?\w+;", rest):
        return FoundProblem(field, TextProblem.HTML)
    if term := clinical_term(rest):
        return FoundProblem(field, TextProblem.CLINICAL, term)
    has_no_day = field == "body" and kind is MessageKind.APPOINTMENT and "{day}" not in text
    return FoundProblem(field, TextProblem.DAY_MISSING) if has_no_day else None


def _variable_problem(name: str, kind: MessageKind) -> TextProblem | None:
    if name in variables_of(kind):
        return None
    if name in APPOINTMENT_VARIABLES:
        return TextProblem.APPOINTMENT_VARIABLE
    return (
        TextProblem.REVEALING_VARIABLE if name.strip().lower() in REVEALING_VARIABLES else TextProblem.UNKNOWN_VARIABLE
    )


def _length_problem(
    channel: MessageChannel, subject: str, body: str, example: Mapping[str, str]
) -> FoundProblem | None:
    if channel is MessageChannel.EMAIL:
        if len(subject) > MAX_SUBJECT_CHARS:
            return FoundProblem("subject", TextProblem.TOO_LONG, str(MAX_SUBJECT_CHARS))
        return FoundProblem("body", TextProblem.TOO_LONG, str(MAX_EMAIL_CHARS)) if len(body) > MAX_EMAIL_CHARS else None
    n_segments = count_segments(fill(body, example))
    return (
        FoundProblem("body", TextProblem.TOO_MANY_SEGMENTS, str(n_segments)) if n_segments > MAX_SMS_SEGMENTS else None
    )


def clinical_term(text: str) -> str:
    """The first word that would reveal something clinical; empty if none is found."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char) and char != "\u00ad")
    for stem in CLINICAL_STEMS:
        if found := re.search(rf"(?<![^\W\d_]){re.escape(stem)}\w*", plain):
            return found[0]
    return ""


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables; a value is inserted as it is, and never read for variables again."""
    return _VARIABLE.sub(lambda match: values.get(match[1], ""), text)


def header_text(text: str) -> str:
    """A text that is safe in a header of an e-mail: without line breaks and other control characters."""
    return " ".join("".join(" " if unicodedata.category(char) in {"Cc", "Zl", "Zp"} else char for char in text).split())


def count_segments(text: str) -> int:
    """SMS segments of a text: 160 characters of GSM 03.38 or 70 of UCS-2, fewer in each of several."""
    if all(char in _GSM_BASIC or char in _GSM_EXTENDED for char in text):
        n_chars, (single, several) = sum(2 if char in _GSM_EXTENDED else 1 for char in text), _GSM_CHARS
    else:
        n_chars, (single, several) = len(text.encode("utf-16-le")) // 2, _UCS2_CHARS
    return 1 if n_chars <= single else -(-n_chars // several)
