"""Validation of uploaded photographs: format, size, colours, completeness."""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _
from PIL import ExifTags, Image

from screening.photos import metadata
from screening.photos.decode_lock import large_image_lock

MAX_MB = 50
MAX_BYTES = MAX_MB * 1024 * 1024
MAX_PIXELS = 100_000_000
MIN_SIDE_PX = 64
"""Smaller images are icons and thumbnails; no fundus camera makes them."""
_CAMERA_MAX = 80
_MODES = frozenset({"L", "LA", "RGB", "RGBA"})
_DEEP_MODES = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_SIDEWAYS = frozenset({5, 6, 7, 8})
_EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "TIFF": "tif", "WEBP": "webp"}
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
)
"""What Pillow's decoders raise on broken files."""


class InvalidPhoto(ValueError):
    """A file that is refused. ``code`` is for programs, the message for the user."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(rejection_message(code))


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFile:
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


def validate(data: bytes) -> PhotoFile:
    """Check that ``data`` is a complete photograph within the limits, and remove its metadata.

    The format is found from the content, not from a file name. Raises InvalidPhoto.
    """
    if not data:
        raise InvalidPhoto("empty")
    if len(data) > MAX_BYTES:
        raise InvalidPhoto("too_large")
    kind = _sniff_format(data)
    try:
        metadata.check_segment_count(data, format=kind)
        camera, orientation, n_pixels = _read_header(data, kind)
        with large_image_lock(n_pixels):
            cleaned = metadata.strip_metadata(data, format=kind, orientation=orientation)
            width_px, height_px, orientation = _decode(cleaned, kind)
    except InvalidPhoto:
        raise
    except metadata.MultiFrameImage:
        raise InvalidPhoto("multi_frame") from None
    except metadata.UnsupportedBitDepth:
        raise InvalidPhoto("bit_depth") from None
    except Image.DecompressionBombError:
        raise InvalidPhoto("too_many_pixels") from None
    except _DECODER_ERRORS:
        # NB: "from None": the message of a decoder may quote text of the file, such as a name.
        raise InvalidPhoto("damaged") from None
    if orientation in _SIDEWAYS:
        width_px, height_px = height_px, width_px
    return PhotoFile(
        format=kind, width_px=width_px, height_px=height_px, camera=camera, orientation=orientation, cleaned=cleaned
    )


def upright_size(data: bytes) -> tuple[int, int]:
    """Width and height in px of the upright view of a valid photograph, from its headers."""
    with Image.open(BytesIO(data), formats=[_sniff_format(data)]) as photo:
        width_px, height_px = photo.size
        _camera, orientation = _exif_of(photo)
    return (height_px, width_px) if orientation in _SIDEWAYS else (width_px, height_px)


def _sniff_format(data: bytes) -> str:
    """The format, from the first bytes. Raises InvalidPhoto for any other format."""
    known = (
        (b"\xff\xd8\xff", "JPEG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"II*\x00", "TIFF"),
        (b"MM\x00*", "TIFF"),
        (b"II+\x00", "TIFF"),
        (b"MM\x00+", "TIFF"),
    )
    for start, kind in known:
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    raise InvalidPhoto(_rejection_code(data))


def _rejection_code(data: bytes) -> str:
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if data[:6] in {b"GIF87a", b"GIF89a"}:
        return "gif"
    if head.startswith(b"<svg") or (head.startswith(b"<?xml") and b"<svg" in head):
        return "svg"
    if data[4:8] == b"ftyp":
        return "heic"
    if data[128:132] == b"DICM":
        return "dicom"
    if data[:4] == b"%PDF" or data[:2] == b"BM":
        return "unsupported_format"
    return "not_a_photograph"


def _read_header(data: bytes, kind: str) -> tuple[str, int, int]:
    """Camera, EXIF orientation and number of pixels. Raises InvalidPhoto before any pixel is decoded."""
    if kind == "WEBP":
        _require_size(*metadata.webp_size(data), is_small_allowed=True)
    with Image.open(BytesIO(data), formats=[kind]) as photo:
        _require_size(*photo.size)
        _require_mode(photo)
        if kind == "TIFF":
            _require_plain_tiff(photo)
        return *_exif_of(photo), photo.width * photo.height


def _require_size(width_px: int, height_px: int, *, is_small_allowed: bool = False) -> None:
    if width_px * height_px > MAX_PIXELS:
        raise InvalidPhoto("too_many_pixels")
    if min(width_px, height_px) < MIN_SIDE_PX and not is_small_allowed:
        raise InvalidPhoto("too_small")


def _require_mode(photo: Image.Image) -> None:
    if photo.mode in _DEEP_MODES:
        raise InvalidPhoto("bit_depth")
    if photo.mode == "CMYK":
        raise InvalidPhoto("cmyk")
    if photo.mode not in _MODES:
        raise InvalidPhoto("colours")


def _require_plain_tiff(photo: Image.Image) -> None:
    """Refuse other bit depths than 8, and several pages. Pillow reads 16-bit colour as if it had 8 bits."""
    bits: Any = getattr(photo, "tag_v2", {}).get(258, (8,))
    if any(n_bits != 8 for n_bits in (bits if isinstance(bits, tuple) else (bits,))):
        raise InvalidPhoto("bit_depth")
    try:
        photo.seek(1)
    except EOFError:
        photo.seek(0)
        return
    raise InvalidPhoto("multi_frame")


def _exif_of(photo: Image.Image) -> tuple[str, int]:
    """Camera and orientation; empty and upright if the EXIF block is broken."""
    try:
        exif = photo.getexif()
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        names = [exif.get(ExifTags.Base.Make), exif.get(ExifTags.Base.Model)]
    except _DECODER_ERRORS:
        return "", 1
    text = " ".join(name for name in names if isinstance(name, str))
    camera = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    is_known = isinstance(orientation, int) and 1 <= orientation <= 8
    return camera[:_CAMERA_MAX], orientation if is_known else 1


def _decode(cleaned: bytes, kind: str) -> tuple[int, int, int]:
    """Width and height in px as stored, and the orientation. Decodes all data, so that no incomplete file is stored."""
    with Image.open(BytesIO(cleaned), formats=[kind]) as photo:
        width_px, height_px = photo.size
        orientation = _exif_of(photo)[1]
        if kind == "JPEG":
            photo.draft(None, (width_px // 8, height_px // 8))  # reads the whole stream at a reduced scale
        photo.load()
    return width_px, height_px, orientation


def rejection_message(code: str) -> str:
    """What is wrong with a file and what to do, for the ``code`` of an InvalidPhoto."""
    accepted = _("Upload a JPEG, PNG, TIFF or WebP file.")
    return {
        "empty": _("The file is empty. Export the photograph from the camera again and upload that file."),
        "too_large": _("The file is larger than %(limit)d MB. Export the photograph as JPEG and upload that file.")
        % {"limit": MAX_MB},
        "too_many_pixels": _("The photograph has more than 100 megapixels. Export it at the camera's own size."),
        "too_small": _("The photograph is smaller than 64 pixels a side. Upload the original, not a thumbnail."),
        "not_a_photograph": _("This file is not a photograph.") + " " + accepted,
        "svg": _("This is an SVG drawing, not a photograph.") + " " + accepted,
        "gif": _("GIF files have too few colours to be graded.") + " " + accepted,
        "heic": _("Photographs of this kind (HEIC or AVIF) cannot be read.") + " " + accepted,
        "dicom": _("This is a DICOM file. Export the photograph from it.") + " " + accepted,
        "unsupported_format": _("Files of this kind cannot be read.") + " " + accepted,
        "multi_frame": _("The file has several images. Export one photograph for each file and upload each."),
        "cmyk": _("The photograph is in printing colours (CMYK). Export it in RGB colours and upload that file."),
        "bit_depth": _("The photograph has more than 8 bits a colour. Export it with 8 bits and upload that file."),
        "colours": _("The photograph has a reduced set of colours. Export it in full RGB colours or in grey."),
        "damaged": _("The file is damaged or incomplete. Export the photograph again and upload that file."),
    }[code]
