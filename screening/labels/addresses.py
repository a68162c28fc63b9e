"""Postal addresses: how they are written, and why one is refused."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from screening.postal_addresses import MAX_ADDRESS_LINE_CHARS, MAX_ADDRESS_LINES, InvalidAddress

ADDRESS_HELP = gettext_lazy("At most %(lines)d lines of %(chars)d characters.") % {
    "lines": MAX_ADDRESS_LINES,
    "chars": MAX_ADDRESS_LINE_CHARS,
}


def address_text(error: InvalidAddress) -> str:
    """Why an address is refused, and what to do."""
    if error.n_lines:
        facts = {"n": error.n_lines, "most": MAX_ADDRESS_LINES}
        return _("The address has %(n)d lines. Write at most %(most)d.") % facts
    if error.is_unprintable:
        return _("This has characters that cannot be printed. Type it again.")
    return _("A line of the address is longer than %(n)d characters. Divide it.") % {"n": MAX_ADDRESS_LINE_CHARS}
