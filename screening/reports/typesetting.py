"""Line breaks of documents: no-break spaces in dates, after numbers and before French punctuation."""

import re
from functools import lru_cache

from django.utils import dates
from django.utils.translation import get_language

NO_BREAK_SPACE = "\u00a0"
_BODY_TEXT = re.compile(r"(?<=>)[^<>]+")
_SPACE_AT_END = re.compile(r"\s+(?=(?:</(?:strong|span)>\s*)*</(?:p|td|th|h[1-3])>)")
_AFTER_NUMBER = re.compile(r"(?<=\d) (?=[\w%(])")
_SPANISH_TIME = re.compile(rf"[ {NO_BREAK_SPACE}]a las (?=\d)")
_FRENCH = re.compile(r" (?=[:;!?»])|(?<=«) ")


def without_bad_breaks(html: str) -> str:
    """A page of the active language without spaces at which a line would end badly. Its text is escaped.

    NB: spaces at the end of a paragraph are deleted: one that does not fit makes WeasyPrint break after the first word.
    """
    head, body, rest = html.partition("<body")
    return head + body + _BODY_TEXT.sub(lambda text: unbroken(text[0]), _SPACE_AT_END.sub("", rest))


def unbroken(text: str) -> str:
    """A text of the active language with no-break spaces."""
    language = get_language() or "en"
    text = _date(language).sub(lambda found: found[0].replace(" ", NO_BREAK_SPACE), text)
    text = _AFTER_NUMBER.sub(NO_BREAK_SPACE, text)
    if language.startswith("es"):
        return _SPANISH_TIME.sub(f" a{NO_BREAK_SPACE}las{NO_BREAK_SPACE}", text)
    return _FRENCH.sub(NO_BREAK_SPACE, text) if language.startswith("fr") else text


@lru_cache(maxsize=16)
def _date(language: str) -> re.Pattern[str]:
    """A day with a month, a month with a year, or all three: 20 Nov 2026, 20. November, noviembre de 2026."""
    names = {str(name) for months in (dates.MONTHS, dates.MONTHS_3, dates.MONTHS_AP) for name in months.values()}
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    month = rf"(?:{'|'.join(map(re.escape, longest_first))})"
    day, year = r"\d{1,2}\.?(?: de)?", r"(?:de )?\d{4}"
    return re.compile(rf"\b(?:{day} {month}(?: {year})?|{month} {year})(?!\w)", re.IGNORECASE)
