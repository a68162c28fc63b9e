"""Messages between a process and its decoder: a header in JSON, then raw bytes.

Nothing is unpickled: a decoder that a file has taken over can send wrong pixels, and no code.
"""

import datetime
import json
import struct
from typing import Any, Protocol

MAX_HEADER_BYTES = 8192
"""Two texts of 200 characters and two of 80, of up to twelve bytes each in JSON, and what is about the photograph."""
_LENGTH = struct.Struct(">I")


class BrokenMessage(Exception):
    """The other side ended, or sent something else than a message."""


class Reader(Protocol):
    """A binary stream."""

    def read(self, size: int, /) -> bytes | None: ...


def packed(header: dict[str, Any]) -> bytes:
    """A header with its length before it."""
    text = json.dumps(header).encode()
    return _LENGTH.pack(len(text)) + text


def read_header(stream: Reader) -> dict[str, Any]:
    """The next header. Raises BrokenMessage."""
    (length,) = _LENGTH.unpack(read_exactly(stream, _LENGTH.size))
    if length > MAX_HEADER_BYTES:
        raise BrokenMessage
    try:
        header = json.loads(read_exactly(stream, length))
    except ValueError:
        raise BrokenMessage from None
    if not isinstance(header, dict):
        raise BrokenMessage
    return header


def read_exactly(stream: Reader, n_bytes: int) -> bytes:
    """``n_bytes`` bytes. Raises BrokenMessage if the stream ends before."""
    data = stream.read(n_bytes)
    if data is None or len(data) != n_bytes:
        raise BrokenMessage
    return data


def integer(header: dict[str, Any], name: str, *, most: int) -> int:
    """A number of a header, 0 to ``most``. Raises BrokenMessage."""
    value = header.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise BrokenMessage
    return value


def text(header: dict[str, Any], name: str, *, most: int) -> str:
    """A printable text of a header. Raises BrokenMessage."""
    value = header.get(name)
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        raise BrokenMessage
    return value


def date(header: dict[str, Any], name: str) -> datetime.date | None:
    """A day of a header (YYYY-MM-DD); None if it is empty. Raises BrokenMessage."""
    day = text(header, name, most=10)
    try:
        return datetime.date.fromisoformat(day) if day else None
    except ValueError:
        raise BrokenMessage from None
