"""The day on which a photograph was taken, as its file gives it."""

import datetime
import re
from typing import Any

from PIL import ExifTags

from ml.serving.files.photo_file import DECODER_ERRORS, check_file

_TAGS = (ExifTags.Base.DateTimeOriginal, ExifTags.Base.DateTimeDigitized, ExifTags.Base.DateTime)
"""When it was taken, digitized, last changed: the first date is the best."""
_DATE = re.compile(r"\s*(\d{4})[:./-](\d{1,2})[:./-](\d{1,2})(?!\d)")


def exif_date(data: bytes) -> datetime.date | None:
    """The date in the EXIF block of a valid photograph; None without one.

    The time of day and the time zone are not read. A date that does not exist, such as 0000:00:00, is none.
    """
    try:
        with check_file(data).open() as opened:
            exif = opened.getexif()
            blocks: list[dict[int, Any]] = [dict(exif.get_ifd(ExifTags.IFD.Exif)), dict(exif)]
    except DECODER_ERRORS:
        return None
    found = (_parsed(block.get(tag)) for tag in _TAGS for block in blocks)
    return next((day for day in found if day is not None), None)


def _parsed(value: Any) -> datetime.date | None:
    text = value.decode("ascii", "ignore") if isinstance(value, bytes) else value
    match = _DATE.match(text) if isinstance(text, str) else None
    if match is None:
        return None
    try:
        return datetime.date(*(int(number) for number in match.groups()))
    except ValueError:
        return None
