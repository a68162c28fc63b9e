"""What is read from the EXIF block of a photograph: camera, orientation, date."""

import datetime
import re
from typing import Any

from PIL import ExifTags, Image

from ml.serving.files.photo_file import DECODER_ERRORS

MAX_CAMERA_LENGTH = 80
SIDEWAYS = frozenset({5, 6, 7, 8})
"""Orientations whose upright view has width and height exchanged."""
_DATE_TAGS = (ExifTags.Base.DateTimeOriginal, ExifTags.Base.DateTimeDigitized, ExifTags.Base.DateTime)
"""When it was taken, digitized, last changed: the first date is the best."""
_DATE = re.compile(r"\s*(\d{4})[:./-](\d{1,2})[:./-](\d{1,2})(?!\d)")


def camera_and_orientation(photo: Image.Image) -> tuple[str, int]:
    """Camera and orientation; empty and upright if the EXIF block is broken. Load a PNG before."""
    try:
        exif = photo.getexif()
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        names = [exif.get(ExifTags.Base.Make), exif.get(ExifTags.Base.Model)]
    except DECODER_ERRORS:
        return "", 1
    text = " ".join(name for name in names if isinstance(name, str))
    camera = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    is_known = isinstance(orientation, int) and 1 <= orientation <= 8
    return camera[:MAX_CAMERA_LENGTH], orientation if is_known else 1


def capture_date(photo: Image.Image) -> datetime.date | None:
    """The date in the EXIF block; None without one.

    The time of day and the time zone are not read. A date that does not exist, such as 0000:00:00, is none.
    """
    try:
        exif = photo.getexif()
        blocks: list[dict[int, Any]] = [dict(exif.get_ifd(ExifTags.IFD.Exif)), dict(exif)]
    except DECODER_ERRORS:
        return None
    found = (_parsed(block.get(tag)) for tag in _DATE_TAGS for block in blocks)
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
