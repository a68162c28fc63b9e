"""Directories of a TIFF, read before a decoder sees them (TIFF 6.0, section 2; BigTIFF)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ml.serving.files.rejections import InvalidFile
from ml.serving.files.segments import CorruptImage

MAX_PAGES = 16
"""Pages that are looked at; a file with more has not one photograph."""
MAX_TAGS = 1_000
"""Of a directory. Cameras write fewer than a hundred."""
MAX_STRIPS = 20_000
"""Strips or tiles of a page. Writers use at most one strip a row; a decoder needs seconds for a million of them."""
MAX_VALUES = 200_000
"""Numbers of one tag. Colour tables have 768, a tone curve a few thousand."""
MAX_TILE_PIXELS = 64_000_000
_STRIP_TAGS = frozenset({273, 279, 324, 325})
"""Offsets and sizes of strips and tiles."""
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_TEXT_TYPES = frozenset({2, 7})
"""Text and bytes, which a decoder reads as a whole."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Byte order and sizes in bytes: of an offset, of the count of a directory, of an entry."""

    order: Literal["little", "big"]
    offset: int
    count: int
    entry: int

    def number(self, data: bytes, at: int, n_bytes: int) -> int:
        if at + n_bytes > len(data):
            raise CorruptImage
        return int.from_bytes(data[at : at + n_bytes], self.order)


def check_directories(data: bytes) -> None:
    """Check the main directories of a TIFF, without decoding.

    Raises CorruptImage for a chain that returns to itself and for values outside the file; InvalidFile for too many
    pages, tags, strips or values.
    """
    layout, at = _header(data)
    seen: set[int] = set()
    while at:
        if at in seen:
            raise CorruptImage
        if len(seen) >= MAX_PAGES:
            raise InvalidFile("multi_frame")
        seen.add(at)
        at = _check_directory(data, layout, at)


def _header(data: bytes) -> tuple[_Layout, int]:
    """The layout and the position of the first directory."""
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    if 43 in (data[2], data[3]):
        layout = _Layout(order, offset=8, count=8, entry=20)
        return layout, layout.number(data, 8, 8)
    layout = _Layout(order, offset=4, count=2, entry=12)
    return layout, layout.number(data, 4, 4)


def _check_directory(data: bytes, layout: _Layout, at: int) -> int:
    """Position of the next directory, 0 after the last one."""
    n_tags = layout.number(data, at, layout.count)
    if n_tags > MAX_TAGS:
        raise InvalidFile("over_limits")
    first = at + layout.count
    tile = {}
    for tag, kind, count, value_at in _entries(data, layout, first, n_tags):
        size = _TYPE_BYTES.get(kind)
        if size is None:
            continue  # decoders ignore types that they do not know
        if count > (MAX_STRIPS if tag in _STRIP_TAGS else MAX_VALUES) and (
            tag in _STRIP_TAGS or kind not in _TEXT_TYPES
        ):
            raise InvalidFile("over_limits")
        if count * size > len(data):
            raise CorruptImage
        if tag in {_TILE_WIDTH, _TILE_HEIGHT} and count == 1 and size <= layout.offset:
            tile[tag] = layout.number(data, value_at, size)
    if tile.get(_TILE_WIDTH, 0) * tile.get(_TILE_HEIGHT, 0) > MAX_TILE_PIXELS:
        raise InvalidFile("over_limits")
    following = first + n_tags * layout.entry
    return layout.number(data, following, layout.offset) if following < len(data) else 0


def _entries(data: bytes, layout: _Layout, first: int, n_tags: int) -> Iterator[tuple[int, int, int, int]]:
    """Tag, type, number of values, and the position of the value or of its offset."""
    for at in range(first, first + n_tags * layout.entry, layout.entry):
        tag, kind = layout.number(data, at, 2), layout.number(data, at + 2, 2)
        yield tag, kind, layout.number(data, at + 4, layout.offset), at + 4 + layout.offset
