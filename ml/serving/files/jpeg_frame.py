"""Frame of a JPEG (ITU T.81, B.2)."""

from dataclasses import dataclass
from typing import Self

from ml.serving.files.segments import CorruptImage


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


def coded_start(data: bytes, scan: int) -> int:
    """Where the coded pixels of the scan at ``scan`` begin."""
    return scan + 2 + int.from_bytes(data[scan + 2 : scan + 4], "big")
