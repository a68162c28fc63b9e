"""Validation of uploaded photographs: the check of files, removal of metadata, complete decoding."""

from dataclasses import dataclass
from io import BytesIO

from django.utils.translation import gettext as _
from PIL import ExifTags, Image, ImageOps

from ml.serving.files.photo_file import DECODER_ERRORS, PhotoFile, check_file, invalid_if_broken
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
from ml.serving.preprocess import decode, over_black
from screening.photos import metadata
from screening.photos.decode_lock import large_image_lock

__all__ = ("MAX_BYTES", "MAX_MB", "MAX_PIXELS", "MIN_SIDE_PX")
_CAMERA_MAX = 80
_SIDEWAYS = frozenset({5, 6, 7, 8})
_EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "TIFF": "tif", "WEBP": "webp"}


class InvalidPhoto(ValueError):
    """A file that is refused. ``code`` is for programs, the message for the user."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(rejection_message(code))


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidPhoto:
    """A valid photograph. ``cleaned`` is the file without metadata; width and height are those of the upright view."""

    format: str
    width_px: int
    height_px: int
    camera: str
    orientation: int
    cleaned: bytes

    @property
    def extension(self) -> str:
        return _EXTENSIONS[self.format]


def validate(data: bytes) -> ValidPhoto:
    """Check that ``data`` is a complete photograph within the limits, and remove its metadata.

    The format is found from the content, not from a file name. A transparent photograph is stored over black, as PNG.
    Raises InvalidPhoto.
    """
    try:
        with invalid_if_broken():
            return _validate(check_file(data))
    except InvalidFile as error:
        raise InvalidPhoto(error.code) from None


def _validate(file: PhotoFile) -> ValidPhoto:
    """Raises InvalidFile, and what decoders raise on broken files."""
    with file.open() as photo:
        camera, orientation = _exif_of(photo)
    kind = file.format
    with large_image_lock(file.size_px[0] * file.size_px[1]):
        cleaned = metadata.strip_metadata(file, orientation=orientation)
        decode(cleaned, min_side_px=1)  # all data, at a reduced scale, so that no incomplete file is stored
        opaque = _opaque_png(cleaned)
        if opaque is not None:
            kind, cleaned = "PNG", opaque
    with Image.open(BytesIO(cleaned), formats=[kind]) as photo:
        size_px, orientation = photo.size, _exif_of(photo)[1]
    width_px, height_px = size_px[::-1] if orientation in _SIDEWAYS else size_px
    return ValidPhoto(
        format=kind, width_px=width_px, height_px=height_px, camera=camera, orientation=orientation, cleaned=cleaned
    )


def _opaque_png(cleaned: bytes) -> bytes | None:
    """A transparent photograph over black, upright, as PNG; None for one that is opaque."""
    with Image.open(BytesIO(cleaned)) as photo:
        if not photo.has_transparency_data:
            return None
        profile = photo.info.get("icc_profile")
        alpha = photo.convert("RGBA").getchannel("A")
        if alpha.getextrema() == (255, 255):
            return None
        opaque = over_black(ImageOps.exif_transpose(photo))
    written = BytesIO()
    opaque.save(written, format="PNG", **({"icc_profile": profile} if isinstance(profile, bytes) and profile else {}))
    return written.getvalue()


def upright_size(data: bytes) -> tuple[int, int]:
    """Width and height in px of the upright view of a valid photograph, from its headers."""
    file = check_file(data)
    with file.open() as photo:
        width_px, height_px = photo.size
        _camera, orientation = _exif_of(photo)
    return (height_px, width_px) if orientation in _SIDEWAYS else (width_px, height_px)


def _exif_of(photo: Image.Image) -> tuple[str, int]:
    """Camera and orientation; empty and upright if the EXIF block is broken."""
    try:
        exif = photo.getexif()
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        names = [exif.get(ExifTags.Base.Make), exif.get(ExifTags.Base.Model)]
    except DECODER_ERRORS:
        return "", 1
    text = " ".join(name for name in names if isinstance(name, str))
    camera = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    is_known = isinstance(orientation, int) and 1 <= orientation <= 8
    return camera[:_CAMERA_MAX], orientation if is_known else 1


def rejection_message(code: str) -> str:
    """What is wrong with a file and what to do, for the ``code`` of an InvalidPhoto."""
    if code in REJECTIONS:
        return _(REJECTIONS[code])
    return f"{_(OTHER_FORMATS[code])} {_(ACCEPTED)}"
