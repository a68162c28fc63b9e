"""Compressed pixels of a PNG, without what follows them in the same chunks (PNG, 10.1 and 11.2.3)."""

import zlib
from collections.abc import Iterator

from ml.serving.files.segments import CorruptImage

_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
_PASSES = ((0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2))
"""First column, step, first row, step of each pass of an interlaced image (8.1)."""
_PIECE_BYTES = 1 << 20


def trimmed(header: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The IDAT chunks up to the end of their zlib stream. ``header`` is the body of IHDR; 8 bits a channel.

    Raises CorruptImage if the stream holds more than the pixels, or zlib.error.
    """
    n_left = _n_bytes(header)
    stream = zlib.decompressobj()
    for chunk in chunks:
        if stream.eof:
            return
        pending = chunk
        while pending and not stream.eof:
            n_left -= len(stream.decompress(pending, _PIECE_BYTES))
            pending = stream.unconsumed_tail
            if n_left < 0:
                raise CorruptImage
        yield chunk[: len(chunk) - len(stream.unused_data)]


def _n_bytes(header: bytes) -> int:
    """Bytes of the pixels, with the filter byte of each row."""
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    if len(header) < 13 or header[8] != 8 or header[9] not in _CHANNELS:
        raise CorruptImage
    n_channels = _CHANNELS[header[9]]
    if header[12] == 0:
        return height * (1 + width * n_channels)
    n_bytes = 0
    for left, right_step, top, down_step in _PASSES:
        columns, rows = max(0, -(-(width - left) // right_step)), max(0, -(-(height - top) // down_step))
        n_bytes += rows * (1 + columns * n_channels) if columns else 0
    return n_bytes
