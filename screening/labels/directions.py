"""Directions of writing: values within a sentence of the other direction (Unicode Standard Annex 9)."""

import unicodedata

from django.utils.translation import get_language_bidi

LEFT_TO_RIGHT, RIGHT_TO_LEFT, END_OF_ISOLATE = "\u2066", "\u2067", "\u2069"
_RIGHT_TO_LEFT_LETTERS = {"R", "AL"}


def direction_of(text: object) -> str:
    """The direction of the first letter, ``rtl`` or ``ltr``; ``ltr`` without one, as a telephone number is read."""
    for char in str(text):
        direction = unicodedata.bidirectional(char)
        if direction == "L":
            return "ltr"
        if direction in _RIGHT_TO_LEFT_LETTERS:
            return "rtl"
    return "ltr"


def isolated(text: object) -> str:
    """A value within a sentence: it has the direction of its first letter, and changes no order around it.

    Unchanged if neither the language nor the value is written from right to left. NB: U+2068, which finds the
    direction itself, sets a number without letters from right to left in Pango.
    """
    value = str(text)
    has_letters_of = any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT_LETTERS for char in value)
    if not value or not (get_language_bidi() or has_letters_of):
        return value
    start = RIGHT_TO_LEFT if direction_of(value) == "rtl" else LEFT_TO_RIGHT
    return f"{start}{value}{END_OF_ISOLATE}"
