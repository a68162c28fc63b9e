"""Tiles of a photograph at its own and at lower resolutions, for a viewer that loads what is in view.

All tiles of a photograph are made at once, because its file has to be decoded for each of them, and are kept in one
archive: the length of the index (4 bytes), the index as JSON, the tiles one after another.
"""

import json
import struct
from collections.abc import Iterator
from io import BytesIO
from typing import IO, Any

from PIL import Image, ImageCms

from ml.serving.files.decoding import over_black, upright
from ml.serving.files.photo_file import check_file
from ml.serving.files.renditions import SCREEN_PX

TILE_PX = 512
_JPEG_QUALITY = 90
_LENGTH = struct.Struct(">I")


class NoSuchTile(Exception):
    """The photograph has no tile at this level, row and column."""


def make_tiles(data: bytes) -> bytes:
    """The archive of upright JPEG tiles in sRGB, over black. Raises InvalidFile.

    Level 0 has the resolution of the photograph, each following one half of it; the last one is larger than a screen.
    NB: a photograph of 45 megapixels is in memory once as pixels (135 MB), with a quarter of it for the next level.
    """
    out, sizes, offsets = BytesIO(), [], [0]
    with check_file(data).open() as photo:
        profile = photo.info.get("icc_profile")
        photo.load()
        image = over_black(upright(photo))
        conversion = _conversion(profile) if image.mode == "RGB" else None
        while True:
            columns, rows = (-(-side // TILE_PX) for side in image.size)
            sizes.append((columns, rows))
            for tile in _cut(image):
                converted = ImageCms.applyTransform(tile, conversion) if conversion else tile
                (converted or tile).convert("RGB").save(out, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
                offsets.append(out.tell())
            if max(image.size) <= 2 * SCREEN_PX:
                break
            image = image.reduce(2)
    index = json.dumps({"sizes": sizes, "offsets": offsets}).encode()
    return _LENGTH.pack(len(index)) + index + out.getvalue()


def _cut(image: Image.Image) -> Iterator[Image.Image]:
    """The tiles, row by row; those at the right and lower edges can be smaller."""
    for top in range(0, image.height, TILE_PX):
        for left in range(0, image.width, TILE_PX):
            yield image.crop((left, top, min(image.width, left + TILE_PX), min(image.height, top + TILE_PX)))


def _conversion(profile: bytes | None) -> ImageCms.ImageCmsTransform | None:
    """From the colours of the profile to sRGB; None without a usable profile."""
    if not profile:
        return None
    try:
        return ImageCms.buildTransform(BytesIO(profile), ImageCms.createProfile("sRGB"), "RGB", "RGB")
    except ImageCms.PyCMSError:
        return None


def read_tile(archive: IO[bytes], *, level: int, row: int, column: int) -> bytes:
    """One tile, a JPEG. Raises NoSuchTile."""
    (length,) = _LENGTH.unpack(archive.read(_LENGTH.size))
    index: dict[str, Any] = json.loads(archive.read(length))
    sizes, offsets = index["sizes"], index["offsets"]
    if not (0 <= level < len(sizes) and 0 <= column < sizes[level][0] and 0 <= row < sizes[level][1]):
        raise NoSuchTile
    number = sum(columns * rows for columns, rows in sizes[:level]) + row * sizes[level][0] + column
    archive.seek(_LENGTH.size + length + offsets[number])
    return archive.read(offsets[number + 1] - offsets[number])
