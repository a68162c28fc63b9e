"""Sentences about limits."""

from django.utils.translation import gettext_lazy, ngettext_lazy

TOO_LONG = ngettext_lazy(
    "This is too long: write at most %(limit)d character.",
    "This is too long: write at most %(limit)d characters.",
    "limit",
)
UNPRINTABLE = gettext_lazy("This has characters that cannot be printed. Type it again.")


def too_long(limit: int) -> str:
    """A text has more than ``limit`` characters."""
    return str(TOO_LONG % {"limit": limit})


BODY_ERRORS = {
    "length_required": gettext_lazy(
        "The body has no length. Send it in one piece, with the header “Content-Length” and not “Transfer-Encoding”."
    ),
    "unsupported_encoding": gettext_lazy(
        "The body is compressed. Send it as it is, without the header “Content-Encoding”."
    ),
}
"""Bodies that cannot be read, by code."""
