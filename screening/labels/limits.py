"""Sentences about limits."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


def too_long(limit: int) -> str:
    """A text has more than ``limit`` characters."""
    return _("This is too long: write at most %(limit)d characters.") % {"limit": limit}


BODY_ERRORS = {
    "length_required": gettext_lazy(
        "The body has no length. Send it in one piece, with the header “Content-Length” and not “Transfer-Encoding”."
    ),
    "unsupported_encoding": gettext_lazy(
        "The body is compressed. Send it as it is, without the header “Content-Encoding”."
    ),
}
"""Bodies that cannot be read, by code."""
