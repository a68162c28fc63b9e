"""The day of a photograph is read from its file, and from nothing else."""

import datetime
from typing import Any

import pytest
from PIL import ExifTags, Image

from ml.serving.files.exif import capture_date
from ml.serving.files.photo_file import check_file
from tests.builders import photo_bytes

Base = ExifTags.Base


def exif_date(data: bytes) -> datetime.date | None:
    with check_file(data).open() as photo:
        return capture_date(photo)


def exif_with(*, root: dict[int, Any] | None = None, ifd: dict[int, Any] | None = None) -> bytes:
    exif = Image.Exif()
    for tag, value in (root or {}).items():
        exif[tag] = value
    exif.get_ifd(ExifTags.IFD.Exif).update(ifd or {})
    return exif.tobytes()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_date_of_the_camera_is_read_without_its_time(format: str) -> None:  # noqa: A002
    exif = exif_with(ifd={Base.DateTimeOriginal: "2025:03:09 23:59:59"})
    assert exif_date(photo_bytes(format, exif=exif)) == datetime.date(2025, 3, 9)


def test_the_date_of_the_photograph_is_better_than_that_of_a_change() -> None:
    exif = exif_with(
        root={Base.DateTime: "2025:05:01 10:00:00"},
        ifd={Base.DateTimeDigitized: "2025:04:01 10:00:00", Base.DateTimeOriginal: "2025:03:01 10:00:00"},
    )
    assert exif_date(photo_bytes(exif=exif)) == datetime.date(2025, 3, 1)
    changed = exif_with(root={Base.DateTime: "2025:05:01 10:00:00"})
    assert exif_date(photo_bytes(exif=changed)) == datetime.date(2025, 5, 1)


@pytest.mark.parametrize(
    "text",
    ["0000:00:00 00:00:00", "    :  :     :  :  ", "", "2025:02:30 10:00:00", "yesterday", "20250301", "2025:13:01"],
)
def test_a_date_that_does_not_exist_is_none(text: str) -> None:
    assert exif_date(photo_bytes(exif=exif_with(ifd={Base.DateTimeOriginal: text}))) is None


def test_a_file_without_or_with_a_broken_block_has_none() -> None:
    assert exif_date(photo_bytes()) is None
    assert exif_date(photo_bytes(exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")) is None
