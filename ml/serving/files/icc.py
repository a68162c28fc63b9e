"""Colour profile of a photograph without the texts of its sender (ICC.1:2010).

A profile is built again from the numbers that a conversion needs: white point, primaries, tone curves. Descriptions,
copyright, device names and all other tags are left out. A profile of another kind, such as one with a table of
colours, is dropped: no camera of a retina writes it.
"""

import struct
from itertools import pairwise

MAX_CURVE_VALUES = 4096
_HEADER_BYTES, _MAX_TAGS = 128, 100
_NUMBERS = {b"RGB ": (b"wtpt", b"rXYZ", b"gXYZ", b"bXYZ"), b"GRAY": (b"wtpt",)}
_CURVES = {b"RGB ": (b"rTRC", b"gTRC", b"bTRC"), b"GRAY": (b"kTRC",)}
_TEXT = b"-"
"""In place of description and copyright, which a profile must have."""
_PARAMETERS = (1, 3, 4, 5, 7)
"""Numbers of a parametric curve, by its type (10.16)."""


def without_text(profile: bytes) -> bytes:
    """The profile with its numbers alone; empty if it is broken or of another kind than matrix and curves."""
    space = profile[16:20]
    if len(profile) < _HEADER_BYTES + 4 or profile[36:40] != b"acsp" or space not in _NUMBERS:
        return b""
    if profile[12:16] not in {b"mntr", b"scnr", b"spac"} or profile[20:24] != b"XYZ ":
        return b""
    found = _tags(profile)
    kept = {name: _xyz(found.get(name, b"")) for name in _NUMBERS[space]}
    kept |= {name: _curve(found.get(name, b"")) for name in _CURVES[space]}
    if not all(kept.values()):
        return b""
    kept[b"chad"] = _matrix(found.get(b"chad", b""))
    return _written(profile, {name: value for name, value in kept.items() if value})


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (n_tags,) = struct.unpack_from(">I", profile, _HEADER_BYTES)
    found = {}
    for at in range(_HEADER_BYTES + 4, min(len(profile) - 11, _HEADER_BYTES + 4 + 12 * min(n_tags, _MAX_TAGS)), 12):
        name, start, size = struct.unpack_from(">4sII", profile, at)
        found[name] = profile[start : start + size]
    return found


def _xyz(tag: bytes) -> bytes:
    return tag[:20] if tag[:4] == b"XYZ " and len(tag) >= 20 else b""


def _matrix(tag: bytes) -> bytes:
    """Chromatic adaptation: nine numbers."""
    return tag[:44] if tag[:4] == b"sf32" and len(tag) >= 44 else b""


def _curve(tag: bytes) -> bytes:
    """A parametric curve, or one of numbers that do not decrease, as no text is."""
    if len(tag) < 12:
        return b""
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        end = 12 + 4 * _PARAMETERS[kind] if kind < len(_PARAMETERS) else 0
        return b"para" + bytes(4) + struct.pack(">HH", kind, 0) + tag[12:end] if 0 < end <= len(tag) else b""
    (n_values,) = struct.unpack_from(">I", tag, 8)
    if tag[:4] != b"curv" or n_values > MAX_CURVE_VALUES or len(tag) < 12 + 2 * n_values:
        return b""
    values = struct.unpack_from(f">{n_values}H", tag, 12)
    is_curve = all(first <= second for first, second in pairwise(values))
    return b"curv" + bytes(4) + tag[8 : 12 + 2 * n_values] if is_curve else b""


def _written(profile: bytes, numbers: dict[bytes, bytes]) -> bytes:
    """A profile of the class, version and colour space of ``profile`` with ``numbers`` as its tags."""
    is_version_4 = profile[8] >= 4
    tags = {b"desc": _text(is_version_4=is_version_4, is_description=True)}
    tags[b"cprt"] = _text(is_version_4=is_version_4, is_description=False)
    tags |= numbers
    table, body = [], b""
    start = _HEADER_BYTES + 4 + 12 * len(tags)
    offsets: dict[bytes, int] = {}
    for name, value in tags.items():
        if value not in offsets:
            offsets[value] = start + len(body)
            body += value + bytes(-len(value) % 4)
        table.append(struct.pack(">4sII", name, offsets[value], len(value)))
    version = b"\x04\x20\x00\x00" if is_version_4 else b"\x02\x10\x00\x00"
    illuminant = struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)  # D50 (7.2.16)
    head = struct.pack(">I4x", start + len(body)) + version + profile[12:24] + bytes(12) + b"acsp" + bytes(24)
    head += struct.pack(">I", min(3, int.from_bytes(profile[64:68], "big"))) + illuminant
    return head.ljust(_HEADER_BYTES, b"\x00") + struct.pack(">I", len(tags)) + b"".join(table) + body


def _text(*, is_version_4: bool, is_description: bool) -> bytes:
    if is_version_4:
        text = _TEXT.decode().encode("utf-16-be")
        return b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(text), 28) + text
    if is_description:
        return b"desc" + bytes(4) + struct.pack(">I", 2) + _TEXT + b"\x00" + bytes(8 + 3 + 67)
    return b"text" + bytes(4) + _TEXT + b"\x00"
