"""Postal addresses: how they are written, and why one is refused."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from screening.labels.limits import UNPRINTABLE
from screening.postal_addresses import MAX_ADDRESS_LINE_CHARS, MAX_ADDRESS_LINES, InvalidAddress

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

ADDRESS_HELP = _("At most %(lines)d lines of %(chars)d characters.") % {
    "lines": MAX_ADDRESS_LINES,
    "chars": MAX_ADDRESS_LINE_CHARS,
}
ADDRESS_TEXTS: dict[str, "_StrPromise"] = {
    "address_lines": ngettext_lazy(
        "The address has %(n)d line. Write at most %(most)d.",
        "The address has %(n)d lines. Write at most %(most)d.",
        "n",
    ),
    "address_unprintable": UNPRINTABLE,
    "address_line_length": ngettext_lazy(
        "A line of the address is longer than %(n)d character. Divide it.",
        "A line of the address is longer than %(n)d characters. Divide it.",
        "n",
    ),
}


def address_refusal(error: InvalidAddress) -> tuple[str, dict[str, int]]:
    """Why an address is refused: a code of ``ADDRESS_TEXTS`` and its values."""
    if error.n_lines:
        return "address_lines", {"n": error.n_lines, "most": MAX_ADDRESS_LINES}
    if error.is_unprintable:
        return "address_unprintable", {}
    return "address_line_length", {"n": MAX_ADDRESS_LINE_CHARS}


def address_text(error: InvalidAddress) -> str:
    """Why an address is refused, and what to do."""
    code, values = address_refusal(error)
    return str(ADDRESS_TEXTS[code] % values) if values else str(ADDRESS_TEXTS[code])
