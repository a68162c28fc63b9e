"""Opening of files, in this process or, after ``use_processes``, in child processes under limits.

Page, API and worker use child processes; training and the command line choose.
"""

import json
import os
from typing import IO, Any

from PIL import Image

from ml.serving.decoders.dicom_messages import dicom_header
from ml.serving.decoders.messages import BrokenMessage, date, integer, read_exactly, text
from ml.serving.decoders.pool import Child, DecoderPool
from ml.serving.files import cleaning, renditions, tiles
from ml.serving.files.archives import MAX_FILES, MAX_NAME_CHARS, ArchivedFile, unpack_archive
from ml.serving.files.cleaning import ValidPhoto
from ml.serving.files.decoding import BAND_PX, decode_file
from ml.serving.files.exif import MAX_CAMERA_LENGTH
from ml.serving.files.formats import FORMATS, sniff_format
from ml.serving.files.photo_file import PhotoFile, check_file, invalid_if_broken
from ml.serving.files.rejections import MAX_BYTES, MAX_PIXELS, OTHER_FORMATS, REJECTIONS, InvalidFile

_MAX_PAYLOAD_BYTES = 8 * MAX_BYTES
"""Of a PNG of a whole TIFF, or of all tiles of a photograph."""
_MAX_PROFILE_BYTES = 1 << 20
_MAX_INDEX_BYTES = 1 << 16
_pool: DecoderPool | None = None
_inherited: list[set[Child]] = []


def use_processes(n_children: int) -> None:
    """Decode in ``n_children`` child processes from now on; 0: in this process."""
    global _pool  # noqa: PLW0603 (one pool a process)
    if _pool is not None:
        _pool.stop()
    _pool = DecoderPool(n_children) if n_children else None


def start_processes() -> None:
    """Start the child processes ahead of the first file, if they are used."""
    if _pool is not None:
        _pool.start()


def _leave_to_parent() -> None:
    """After a fork: close the pipes of the parent's children, so that they end with the parent."""
    global _pool  # noqa: PLW0603 (one pool a process)
    if _pool is None:
        return
    for child in _pool.children:
        os.close(child.requests.fileno())
        os.close(child.replies.fileno())
    _inherited.append(_pool.children)  # NB: kept, or Python would close the numbers of these pipes again
    _pool = DecoderPool(_pool.n_children)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


def clean(data: bytes) -> ValidPhoto:
    """``cleaning.clean_file``. Raises InvalidFile, DecoderUnavailable."""
    if _pool is None:
        return cleaning.clean_file(data)
    _check_first_bytes(data)
    return _pool.request({"operation": "clean"}, data, _valid_photo)


def decode(file: bytes | PhotoFile, *, min_side_px: int, reduce_all: bool = False) -> Image.Image:
    """``decode_file``, after ``check_file``. Raises InvalidFile, DecoderUnavailable."""
    if _pool is None:
        with invalid_if_broken():
            checked = check_file(file) if isinstance(file, bytes) else file
            return decode_file(checked, min_side_px=min_side_px, reduce_all=reduce_all)
    data = file if isinstance(file, bytes) else file.data
    _check_first_bytes(data)
    options = {"operation": "decode", "min_side_px": min_side_px, "reduce_all": int(reduce_all)}
    return _pool.request(options, data, _image)


def reduced_jpeg(data: bytes, *, side_px: int) -> tuple[bytes, tuple[int, int]]:
    """``renditions.reduced_jpeg``. Raises InvalidFile, DecoderUnavailable."""
    if _pool is None:
        with invalid_if_broken():
            return renditions.reduced_jpeg(data, side_px=side_px)
    _check_first_bytes(data)
    return _pool.request({"operation": "reduce", "side_px": side_px}, data, lambda *it: (_payload(*it), _size(it[0])))


def whole_png(data: bytes) -> bytes:
    """``renditions.whole_png``. Raises InvalidFile, DecoderUnavailable."""
    if _pool is None:
        with invalid_if_broken():
            return renditions.whole_png(data)
    _check_first_bytes(data)
    return _pool.request({"operation": "convert"}, data, _payload)


def logo_png(data: bytes) -> bytes:
    """``renditions.logo_png``. Raises InvalidFile, DecoderUnavailable."""
    _check_first_bytes(data)
    if _pool is None:
        return renditions.logo_png(data)
    return _pool.request({"operation": "logo"}, data, _payload)


def make_tiles(data: bytes) -> bytes:
    """``tiles.make_tiles``. Raises InvalidFile, DecoderUnavailable."""
    if _pool is None:
        with invalid_if_broken():
            return tiles.make_tiles(data)
    _check_first_bytes(data)
    return _pool.request({"operation": "tile"}, data, _payload)


def unpack(data: bytes) -> list[ArchivedFile]:
    """``archives.unpack_archive``. Raises InvalidFile, DecoderUnavailable."""
    if len(data) > MAX_BYTES:
        raise InvalidFile("too_large")
    if _pool is None:
        return unpack_archive(data)
    return _pool.request({"operation": "unpack"}, data, _archived_files)


def upright_size(data: bytes) -> tuple[int, int]:
    """``cleaning.upright_size``. Raises InvalidFile, DecoderUnavailable."""
    if _pool is None:
        with invalid_if_broken():
            return cleaning.upright_size(data)
    _check_first_bytes(data)
    return _pool.request({"operation": "measure"}, data, lambda header, _stream: _size(header))


def _check_first_bytes(data: bytes) -> None:
    """Refuse here what needs no decoder. Raises InvalidFile."""
    if not data:
        raise InvalidFile("empty")
    if len(data) > MAX_BYTES:
        raise InvalidFile("too_large")
    sniff_format(data)


def _size(header: dict[str, Any]) -> tuple[int, int]:
    width_px, height_px = (integer(header, name, most=MAX_PIXELS) for name in ("width_px", "height_px"))
    if not 0 < width_px * height_px <= MAX_PIXELS:
        raise BrokenMessage
    return width_px, height_px


def _payload(header: dict[str, Any], stream: IO[bytes]) -> bytes:
    return read_exactly(stream, integer(header, "n_bytes", most=_MAX_PAYLOAD_BYTES))


def _archived_files(header: dict[str, Any], stream: IO[bytes]) -> list[ArchivedFile]:
    try:
        index = json.loads(read_exactly(stream, integer(header, "n_index_bytes", most=_MAX_INDEX_BYTES)))
    except ValueError:
        raise BrokenMessage from None
    if not isinstance(index, list) or len(index) > MAX_FILES or not all(isinstance(one, dict) for one in index):
        raise BrokenMessage
    return [
        ArchivedFile(
            text(one, "name", most=MAX_NAME_CHARS),
            read_exactly(stream, integer(one, "n_bytes", most=MAX_BYTES)),
            _known_rejection(text(one, "rejection", most=20)),
        )
        for one in index
    ]


def _known_rejection(code: str) -> str:
    if code and code not in REJECTIONS and code not in OTHER_FORMATS:
        raise BrokenMessage
    return code


def _image(header: dict[str, Any], stream: IO[bytes]) -> Image.Image:
    """Bands of rows are copied as they come, so that a large image is not in memory twice."""
    width_px, height_px = _size(header)
    image = Image.new("RGB", (width_px, height_px))
    for top in range(0, height_px, BAND_PX):
        size_px = (width_px, min(BAND_PX, height_px - top))
        band = read_exactly(stream, 3 * size_px[0] * size_px[1])
        image.paste(Image.frombuffer("RGB", size_px, band, "raw", "RGB", 0, 1), (0, top))
    return image


def _valid_photo(header: dict[str, Any], stream: IO[bytes]) -> ValidPhoto:
    width_px, height_px = _size(header)
    kind = text(header, "format", most=8)
    if kind not in FORMATS:
        raise BrokenMessage
    return ValidPhoto(
        format=kind,
        width_px=width_px,
        height_px=height_px,
        camera=text(header, "camera", most=MAX_CAMERA_LENGTH),
        orientation=integer(header, "orientation", most=8),
        captured_on=date(header, "captured_on"),
        dicom=dicom_header(header),
        cleaned=_payload(header, stream),
        icc_profile=read_exactly(stream, integer(header, "n_profile_bytes", most=_MAX_PROFILE_BYTES)),
    )
