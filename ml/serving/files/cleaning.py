"""Validation of a file that is stored: one complete photograph, without metadata."""

import datetime
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from ml.serving.files.decoding import decode_file, over_black, upright
from ml.serving.files.dicom_header import DicomHeader
from ml.serving.files.exif import MAX_CAMERA_LENGTH, SIDEWAYS, camera_and_orientation, capture_date
from ml.serving.files.jpeg_pixels import require_nothing_behind
from ml.serving.files.metadata import profile_of, strip_metadata
from ml.serving.files.photo_file import PhotoFile, check_file, invalid_if_broken

_COMPRESS_LEVEL = 2
"""Of a transparent photograph over black: level 6 takes three times as long for a file a fifth smaller."""
_EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "TIFF": "tif", "WEBP": "webp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidPhoto:
    """A valid photograph. ``cleaned`` is the file without metadata; width and height are those of the upright view.

    ``captured_on`` is the date in the EXIF block or DICOM header of the file as it came; ``icc_profile`` is that of
    ``cleaned``, empty without one. ``dicom`` is the header of a DICOM file.
    """

    format: str
    width_px: int
    height_px: int
    camera: str
    orientation: int
    captured_on: datetime.date | None
    icc_profile: bytes
    cleaned: bytes
    dicom: DicomHeader | None = None

    @property
    def extension(self) -> str:
        return _EXTENSIONS[self.format]


def clean_file(data: bytes) -> ValidPhoto:
    """Check that ``data`` is a complete photograph within the limits, and remove its metadata.

    The format is found from the content, not from a file name. A transparent photograph is stored over black, as PNG.
    Raises InvalidFile.
    """
    with invalid_if_broken():
        return _cleaned(check_file(data))


def _cleaned(file: PhotoFile) -> ValidPhoto:
    """Raises InvalidFile, and what decoders raise on broken files."""
    camera, orientation, captured_on = _facts(file)
    kind, cleaned = file.format, strip_metadata(file, orientation=orientation)
    stored = check_file(cleaned)
    if kind != "PNG":  # whose pixels are loaded already, and whose pixel data stay as they are
        decode_file(stored, min_side_px=1)  # all data, at a reduced scale, so that no incomplete file is stored
    if stored.jpeg is not None:
        require_nothing_behind(stored.jpeg)
    opaque = _opaque_png(stored)
    if opaque is not None:
        kind, cleaned = "PNG", opaque
    with Image.open(BytesIO(cleaned), formats=[kind]) as photo:
        size_px, profile = photo.size, photo.info.get("icc_profile")
        orientation = camera_and_orientation(photo)[1]
    width_px, height_px = size_px[::-1] if orientation in SIDEWAYS else size_px
    return ValidPhoto(
        format=kind,
        width_px=width_px,
        height_px=height_px,
        camera=camera,
        orientation=orientation,
        captured_on=captured_on,
        icc_profile=profile if isinstance(profile, bytes) else b"",
        cleaned=cleaned,
        dicom=file.dicom,
    )


def _facts(file: PhotoFile) -> tuple[str, int, datetime.date | None]:
    """Camera, EXIF orientation and date; of a DICOM file those of its header."""
    if file.dicom is not None:
        return file.dicom.camera[:MAX_CAMERA_LENGTH], 1, file.dicom.captured_on
    with file.open() as photo:
        if file.format == "PNG":
            photo.load()  # NB: its EXIF block may follow the pixels: Pillow would hide that they are damaged
        return *camera_and_orientation(photo), capture_date(photo)


def _opaque_png(file: PhotoFile) -> bytes | None:
    """A transparent photograph over black, upright, as PNG; None for one that is opaque."""
    with file.open() as photo:
        if not photo.has_transparency_data:
            return None
        profile = profile_of(photo)
        if photo.mode in {"LA", "RGBA"} and photo.getchannel("A").getextrema() == (255, 255):
            return None
        opaque = over_black(upright(photo))
    written = BytesIO()
    opaque.info = {}
    opaque.save(written, format="PNG", compress_level=_COMPRESS_LEVEL, **({"icc_profile": profile} if profile else {}))
    return written.getvalue()


def upright_size(data: bytes) -> tuple[int, int]:
    """Width and height in px of the upright view of a photograph, from its headers. Raises InvalidFile."""
    file = check_file(data)
    with file.open() as photo:
        width_px, height_px = photo.size
        _camera, orientation = camera_and_orientation(photo)
    return (height_px, width_px) if orientation in SIDEWAYS else (width_px, height_px)
