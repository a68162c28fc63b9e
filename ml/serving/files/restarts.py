"""Frame of a JPEG, and whether its restart markers are all there (ITU T.81, B.2)."""

import re
from dataclasses import dataclass
from typing import Self

from ml.serving.files.segments import JPEG_SOS, CorruptImage

MAX_MISSING_FRACTION = 0.02
"""Of the restart intervals of a scan."""
_DRI = 0xDD
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")


@dataclass(frozen=True, slots=True)
class Frame:
    """Size in px; of each component its id, its sampling factors (horizontal, vertical), its quantisation table."""

    width_px: int
    height_px: int
    components: tuple[tuple[int, int, int], ...]
    tables: tuple[int, ...]

    @classmethod
    def read(cls, data: bytes, at: int) -> Self:
        """The frame header at ``at``. Raises CorruptImage."""
        height, width = (int.from_bytes(data[start : start + 2], "big") for start in (at + 5, at + 7))
        table = data[at + 10 : at + 10 + 3 * data[at + 9]]
        components = tuple((table[i], table[i + 1] >> 4, table[i + 1] & 15) for i in range(0, len(table) - 2, 3))
        if len(components) != data[at + 9] or not all(1 <= h <= 4 and 1 <= v <= 4 for _id, h, v in components):
            raise CorruptImage
        return cls(width, height, components, tables=tuple(table[2::3]))

    def n_blocks(self, index: int) -> int:
        """Blocks of 8 x 8 coefficients of one component."""
        _id, h, v = self.components[index]
        h_max, v_max = (max(each[axis] for each in self.components) for axis in (1, 2))
        width, height = -(-self.width_px * h // h_max), -(-self.height_px * v // v_max)
        return -(-width // 8) * -(-height // 8)

    def n_units(self, ids: bytes) -> int:
        """Minimum coded units of a scan of the components ``ids``."""
        if len(ids) == 1:
            return self.n_blocks(next((i for i, each in enumerate(self.components) if each[0] == ids[0]), 0))
        h_max, v_max = (max(each[axis] for each in self.components) for axis in (1, 2))
        return -(-self.width_px // (8 * h_max)) * -(-self.height_px // (8 * v_max))


def coded_start(data: bytes, scan: int) -> int:
    """Where the coded pixels of the scan at ``scan`` begin."""
    return scan + 2 + int.from_bytes(data[scan + 2 : scan + 4], "big")


def require_restart_markers(data: bytes, segments: list[tuple[int, int, int]], frame: int) -> None:
    """Raises CorruptImage if more than MAX_MISSING_FRACTION of the restart intervals of a scan are missing.

    A decoder fills them with grey and goes on behind them, so that nothing at the end of the file tells it.
    """
    header = Frame.read(data, frame)
    interval = 0
    for marker, start, end in segments:
        if marker == _DRI:
            interval = int.from_bytes(data[start + 4 : start + 6], "big")
        if marker != JPEG_SOS or not interval:
            continue
        ids = data[start + 5 : start + 5 + 2 * data[start + 4] : 2]
        n_expected = -(-header.n_units(ids) // interval) - 1
        n_found = sum(1 for _ in _RESTART.finditer(data, coded_start(data, start), end))
        if n_expected - n_found > MAX_MISSING_FRACTION * max(1, n_expected):
            raise CorruptImage
