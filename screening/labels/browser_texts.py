"""Texts into which a script inserts a number, in the plural forms of the language."""

from typing import TYPE_CHECKING

from django.utils.translation import ngettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

PLURAL_TEXTS: dict[str, "_StrPromise"] = {
    "choose_eyes": ngettext_lazy("Choose the eye of {n} more", "Choose the eyes of {n} more"),
    "confirm_all": ngettext_lazy("Confirm {n}", "Confirm all {n}"),
    "waiting": ngettext_lazy(
        "The connection is lost. {n} photograph waits: it is sent when the connection is back, also if you reload "
        "this page.",
        "The connection is lost. {n} photographs wait: they are sent when the connection is back, also if you reload "
        "this page.",
    ),
    "moved": ngettext_lazy("Disc to fovea: {n} disc diameter.", "Disc to fovea: {n} disc diameters."),
    "between": ngettext_lazy(
        "Suggested from the picture. Disc to fovea: {n} disc diameter. Move the points if they are wrong.",
        "Suggested from the picture. Disc to fovea: {n} disc diameters. Move the points if they are wrong.",
    ),
    "within": ngettext_lazy(
        "{n} disc diameter from the fovea: within one disc diameter",
        "{n} disc diameters from the fovea: within one disc diameter",
    ),
    "outside": ngettext_lazy("{n} disc diameter from the fovea", "{n} disc diameters from the fovea"),
}
_NUMBERS = {"zero": 0, "one": 1, "two": 2, "few": 3, "many": 11, "other": 100}
"""A number of each category of Unicode CLDR plural rules in Arabic, which has all; other languages use some of them."""


def plural_forms(name: str) -> dict[str, str]:
    """The forms of a text in the active language, by category of ``Intl.PluralRules`` in the browser.

    Without those that are as "other", which stands for a category that is left out.
    """
    forms = {category: str(PLURAL_TEXTS[name] % n) for category, n in _NUMBERS.items()}
    return {category: form for category, form in forms.items() if category == "other" or form != forms["other"]}
