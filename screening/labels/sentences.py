"""Labels within a sentence, and several in a list."""

from collections.abc import Iterable

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from screening.labels.directions import isolated


def within_sentence(label: object) -> str:
    """A label after the first word of a sentence: with a small first letter.

    Not in German, whose nouns begin with a capital, and not an abbreviation (IRMA).
    """
    text = str(label)
    is_kept = (get_language() or "").startswith("de") or text[1:2].isupper()
    return text if is_kept else text[:1].lower() + text[1:]


def with_label(label: object, value: object) -> str:
    """A value after its label: "Right eye: moderate", in French with a space before the colon."""
    return _("%(label)s: %(value)s") % {"label": label, "value": value}


def joined(items: Iterable[object]) -> str:
    """Items in one line: "Drusen; naevus", in French with a space before the semicolon.

    An item that is empty is left out, and a semicolon or comma at the end of one that a person wrote.
    """
    texts = (str(item).strip(" \n;,") for item in items)
    return pgettext("between the items of a list", "; ").join(isolated(text) for text in texts if text)
