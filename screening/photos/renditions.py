"""Smaller copies, PNG copies and tiles of photographs: made at the first request, then stored beside them."""

import logging
import threading
from collections.abc import Callable
from io import BytesIO
from pathlib import PurePosixPath

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db.models.fields.files import FieldFile

from ml.serving.decoders import decoders
from ml.serving.files.renditions import SCREEN_PX, THUMBNAIL_PX
from ml.serving.files.tiles import read_tile
from screening.photos.validation import invalid_photo_if_refused

logger = logging.getLogger(__name__)
FOLDER = "renditions"
VERSION = "1"
"""Of what the renditions look like: part of their ETags."""
_making_tiles = threading.Lock()


def thumbnail(photo: FieldFile) -> bytes:
    """A small upright JPEG. Raises FileNotFoundError, InvalidPhoto, DecoderUnavailable."""
    return _reduced(photo, THUMBNAIL_PX)


def screen(photo: FieldFile) -> bytes:
    """An upright JPEG about as large as a screen. Raises FileNotFoundError, InvalidPhoto, DecoderUnavailable."""
    return _reduced(photo, SCREEN_PX)


def _reduced(photo: FieldFile, side_px: int) -> bytes:
    return _rendition(photo, f"{side_px}.jpg", lambda data: decoders.reduced_jpeg(data, side_px=side_px)[0])


def whole(photo: FieldFile) -> bytes:
    """The whole photograph as PNG, upright. Raises FileNotFoundError, InvalidPhoto, DecoderUnavailable."""
    return _rendition(photo, "png", decoders.whole_png)


def tile(photo: FieldFile, *, level: int, row: int, column: int) -> bytes:
    """A JPEG of 512 x 512 pixels or, at an edge, less: see ``tiles.make_tiles``.

    All tiles are made at the first request for one of them, those of one photograph at a time in this process.
    Raises FileNotFoundError, NoSuchTile, InvalidPhoto, DecoderUnavailable.
    """
    if not photo.storage.exists(photo.name or ""):
        raise FileNotFoundError
    where = {"level": level, "row": row, "column": column}
    try:
        with photo.storage.open(rendition_name(photo.name or "", "tiles"), "rb") as archive:
            return read_tile(archive, **where)
    except FileNotFoundError:
        with _making_tiles:
            made = _rendition(photo, "tiles", decoders.make_tiles)
    return read_tile(BytesIO(made), **where)


def _rendition(photo: FieldFile, suffix: str, make: Callable[[bytes], bytes]) -> bytes:
    storage, name = photo.storage, rendition_name(photo.name or "", suffix)
    if not storage.exists(photo.name or ""):
        raise FileNotFoundError
    try:
        with storage.open(name, "rb") as stored:
            return bytes(stored.read())
    except FileNotFoundError:
        with photo.open("rb") as file:
            data = file.read()
    with invalid_photo_if_refused():
        content = make(data)
    _store(storage, name, content)
    return content


def rendition_name(photo: str, suffix: str) -> str:
    """``renditions/ab/<uuid>.<suffix>`` for ``photos/ab/<uuid>.<ext>``."""
    path = PurePosixPath(photo)
    return f"{FOLDER}/{path.parent.name}/{path.stem}.{suffix}"


def _store(storage: Storage, name: str, content: bytes) -> None:
    """Store a rendition; without space for it, it is made again at the next request."""
    try:
        stored = storage.save(name, ContentFile(content))
    except OSError:
        logger.warning("The rendition %s could not be stored", name)
        return
    if stored != name:  # another request was first
        storage.delete(stored)
