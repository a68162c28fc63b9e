"""Validation of uploaded photographs, in a decoder process."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _

from ml.serving.decoders import decoders
from ml.serving.files.cleaning import ValidPhoto
from ml.serving.files.rejections import (
    ACCEPTED,
    MAX_BYTES,
    MAX_MB,
    MAX_PIXELS,
    MIN_SIDE_PX,
    OTHER_FORMATS,
    REJECTIONS,
    InvalidFile,
)

__all__ = ("MAX_BYTES", "MAX_MB", "MAX_PIXELS", "MIN_SIDE_PX", "ValidPhoto")


class InvalidPhoto(ValueError):
    """A file that is refused. ``code`` is for programs, the message for the user."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(rejection_message(code))


def validate(data: bytes) -> ValidPhoto:
    """Check that ``data`` is a complete photograph within the limits, and remove its metadata.

    Raises InvalidPhoto, DecoderUnavailable.
    """
    with invalid_photo_if_refused():
        return decoders.clean(data)


@contextmanager
def invalid_photo_if_refused() -> Iterator[None]:
    """Raise InvalidPhoto for a file that a decoder refuses."""
    try:
        yield
    except InvalidFile as error:
        raise InvalidPhoto(error.code) from None


def rejection_message(code: str) -> str:
    """What is wrong with a file and what to do, for the ``code`` of an InvalidPhoto."""
    if code in REJECTIONS:
        return _(REJECTIONS[code])
    return f"{_(OTHER_FORMATS[code])} {_(ACCEPTED)}"
