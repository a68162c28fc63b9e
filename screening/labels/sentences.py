"""Labels within a sentence."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _


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
