"""Tables of a JPEG that its scans use, without those that hold something else (ITU T.81, B.2.4)."""

from collections.abc import Iterator

from ml.serving.files.jpeg_frame import Frame
from ml.serving.files.segments import CorruptImage

DQT, DHT = 0xDB, 0xC4
_QUANTISATION, _DC, _AC = "quantisation", 0, 1
_Key = tuple[str | int, int]
"""Class and number of a table."""


class Tables:
    """The newest definition of each table that no scan has used yet."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._defined: dict[_Key, bytes] = {}

    def set_frame(self, data: bytes, at: int) -> None:
        """Read which quantisation table each component uses. Raises CorruptImage."""
        self._frame = Frame.read(data, at)

    def define(self, marker: int, segment: bytes) -> None:
        """Add the tables of a DQT or DHT segment. Raises CorruptImage."""
        at = 4
        while at < len(segment):
            kind, number = segment[at] >> 4, segment[at] & 15
            size = 1 + 64 * (1 + kind) if marker == DQT else 17 + sum(segment[at + 1 : at + 17])
            table = segment[at : at + size]
            if kind > 1 or len(table) != size:
                raise CorruptImage
            self._defined[_QUANTISATION if marker == DQT else kind, number] = table
            at += size

    def used_by(self, scan: bytes) -> Iterator[bytes]:
        """A segment for each new table that the scan needs; ``scan`` begins with its marker. Raises CorruptImage."""
        if self._frame is None:
            raise CorruptImage
        quantisation = dict(zip((each[0] for each in self._frame.components), self._frame.tables, strict=True))
        n = scan[4]
        first, last = scan[5 + 2 * n], scan[6 + 2 * n]
        needed: list[_Key] = []
        for component, tables in zip(scan[5 : 5 + 2 * n : 2], scan[6 : 6 + 2 * n : 2], strict=True):
            needed.append((_QUANTISATION, quantisation.get(component, 0)))
            needed += [(_DC, tables >> 4)] if first == 0 else []
            needed += [(_AC, tables & 15)] if last > 0 else []
        for key in needed:
            table = self._defined.pop(key, b"")
            if table:
                marker = DQT if key[0] == _QUANTISATION else DHT
                yield bytes([0xFF, marker]) + (len(table) + 2).to_bytes(2, "big") + table
