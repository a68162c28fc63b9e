"""Sentences about limits."""

from django.utils.translation import gettext as _


def too_long(limit: int) -> str:
    """A text has more than ``limit`` characters."""
    return _("This is too long: write at most %(limit)d characters.") % {"limit": limit}
