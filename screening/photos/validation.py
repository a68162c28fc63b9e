"""Uploaded files: is this a photograph that can be graded, and the bytes of it that may be kept."""

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
"""No fundus camera makes less: smaller files are icons and thumbnails."""
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
    """A file that cannot be taken. ``code`` is for programs; the message says what is wrong and what to do."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(rejection_message(code))


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFile:
    """A photograph that can be kept. ``cleaned`` is the file without metadata; sizes are those of the upright view."""

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
    """Verify that ``data`` is a whole photograph within limits and clean it. The name it came under plays no part.

    Raises InvalidPhoto with a code and a sentence.
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
        raise InvalidPhoto("several_pictures") from None
    except metadata.UnsupportedBitDepth:
        raise InvalidPhoto("bit_depth") from None
    except Image.DecompressionBombError:
        raise InvalidPhoto("too_many_pixels") from None
    except _DECODER_ERRORS:
        # NB: "from None": a decoder's own words may quote text that stands in the file, a name perhaps.
        raise InvalidPhoto("damaged") from None
    if orientation in _SIDEWAYS:
        width_px, height_px = height_px, width_px
    return PhotoFile(
        format=kind, width_px=width_px, height_px=height_px, camera=camera, orientation=orientation, cleaned=cleaned
    )


def upright_size(data: bytes) -> tuple[int, int]:
    """Width and height in px, seen upright, of a file that ``validate`` took; only its headers are read."""
    with Image.open(BytesIO(data), formats=[_sniff_format(data)]) as photo:
        width_px, height_px = photo.size
        _camera, orientation = _exif_of(photo)
    return (height_px, width_px) if orientation in _SIDEWAYS else (width_px, height_px)


def _sniff_format(data: bytes) -> str:
    """The format by the first bytes. Raises InvalidPhoto, naming what the file is where that helps."""
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
    """Refuse by the headers, before pixels are decoded; the camera's name, the EXIF orientation, how many pixels."""
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
    """Pillow reads 16-bit colour TIFFs as if they had 8 bits, so the tag itself is asked."""
    bits: Any = getattr(photo, "tag_v2", {}).get(258, (8,))
    if any(n_bits != 8 for n_bits in (bits if isinstance(bits, tuple) else (bits,))):
        raise InvalidPhoto("bit_depth")
    try:
        photo.seek(1)
    except EOFError:
        photo.seek(0)
        return
    raise InvalidPhoto("several_pictures")


def _exif_of(photo: Image.Image) -> tuple[str, int]:
    """Camera and orientation; a broken EXIF block, which will be dropped anyway, says nothing."""
    try:
        exif = photo.getexif()
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        words = [exif.get(ExifTags.Base.Make), exif.get(ExifTags.Base.Model)]
    except _DECODER_ERRORS:
        return "", 1
    text = " ".join(word for word in words if isinstance(word, str))
    camera = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    is_known = isinstance(orientation, int) and 1 <= orientation <= 8
    return camera[:_CAMERA_MAX], orientation if is_known else 1


def _decode(cleaned: bytes, kind: str) -> tuple[int, int, int]:
    """Read every pixel of the cleaned file: a file that breaks off must be refused now, while there is a camera.

    Returns width and height in px as stored, and the orientation the cleaned file still says.
    """
    with Image.open(BytesIO(cleaned), formats=[kind]) as photo:
        width_px, height_px = photo.size
        orientation = _exif_of(photo)[1]
        if kind == "JPEG":
            photo.draft(None, (width_px // 8, height_px // 8))  # the whole stream is read, fewer pixels are made
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
        "several_pictures": _("The file holds several pictures. Export one photograph a file and upload each."),
        "cmyk": _("The photograph is in printing colours (CMYK). Export it in RGB colours and upload that file."),
        "bit_depth": _("The photograph has more than 8 bits a colour. Export it with 8 bits and upload that file."),
        "colours": _("The photograph has a reduced set of colours. Export it in full RGB colours or in grey."),
        "damaged": _("The file is damaged or incomplete. Export the photograph again and upload that file."),
    }[code]
