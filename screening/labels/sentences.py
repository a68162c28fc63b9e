"""Labels within a sentence."""

from django.utils.translation import get_language


def within_sentence(label: object) -> str:
    """A label after the first word of a sentence: with a small first letter.

    Not in German, whose nouns begin with a capital, and not an abbreviation (IRMA).
    """
    text = str(label)
    is_kept = (get_language() or "").startswith("de") or text[1:2].isupper()
    return text if is_kept else text[:1].lower() + text[1:]
