"""Writing that a camera or a viewer put into the pixels outside the retina: found, and blanked on request."""

from dataclasses import replace
from io import BytesIO
from typing import Any

from PIL import Image

from ml.serving.inspection import inspect_photo
from ml.serving.preprocess import decode
from ml.serving.writing import without_writing
from screening.photos.decode_lock import large_image_lock
from screening.photos.validation import ValidPhoto, invalid_photo_if_refused

SEARCH_SIDE_PX = 512
"""Shorter side of the copy that is searched."""
_JPEG_QUALITY = 96
_FULL_SIZE_PX = 100_000


def has_writing(photo: ValidPhoto) -> bool:
    """Whether something is written outside the retina. Raises InvalidPhoto, DecoderUnavailable."""
    with large_image_lock(photo.width_px * photo.height_px), invalid_photo_if_refused():
        return inspect_photo(decode(photo.cleaned, min_side_px=SEARCH_SIDE_PX, reduce_all=True)).has_writing


def blanked(photo: ValidPhoto) -> ValidPhoto:
    """The photograph, upright, with all outside the retina in black; as it is if there is no retina.

    A JPEG is encoded again, as JPEG; any other format becomes PNG. Raises InvalidPhoto, DecoderUnavailable.
    """
    with large_image_lock(photo.width_px * photo.height_px), invalid_photo_if_refused():
        inspected = inspect_photo(decode(photo.cleaned, min_side_px=_FULL_SIZE_PX))
        if inspected.survey is None:
            return photo
        image = without_writing(inspected.image, inspected.survey)
        kind = "JPEG" if photo.format == "JPEG" else "PNG"
        return replace(photo, format=kind, orientation=1, cleaned=_encoded(image, kind, photo.icc_profile))


def _encoded(image: Image.Image, kind: str, profile: bytes) -> bytes:
    options: dict[str, Any] = {"icc_profile": profile} if profile else {}
    if kind == "JPEG":
        options |= {"quality": _JPEG_QUALITY, "subsampling": 0}
    written = BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()
