"""Small files that once took a decoder down, or that look like a photograph and are none."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

from ml.synthetic import FundusDrawing, draw_fundus


def saved(image: Image.Image, format: str, **options: Any) -> bytes:  # noqa: A002  # Pillow's name
    file = BytesIO()
    image.copy().save(file, format, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width_px: int, height_px: int, data: bytes, *, before: bytes = b"") -> bytes:
    """An RGB PNG with ``data`` as its compressed pixels and the chunks ``before`` them."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + before + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def tiff_of_strips(n: int) -> bytes:
    """A TIFF whose pixels are in ``n`` strips, their offsets one byte each."""
    tags = [(256, 3, 1, 64), (257, 3, 1, 64), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 1, n, 122)]
    tags += [(277, 3, 1, 1), (278, 3, 1, 1), (279, 1, n, 122)]
    rows = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\x00" + struct.pack("<IH", 8, len(tags)) + rows + bytes(4) + b"\x08" * n + bytes(4096)


def transparent_webp(width_px: int, height_px: int) -> bytes:
    """A lossless WebP of a few bytes that says how large it is, with alpha."""
    bits = (width_px - 1) | (height_px - 1) << 14 | 1 << 28
    body = b"\x2f" + struct.pack("<I", bits) + b"\x88\x88\x08" + bytes(6)
    packed = b"VP8L" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(packed)) + b"WEBP" + packed


def progressive(image: Image.Image, n_scans: int, size_px: tuple[int, int]) -> bytes:
    """A progressive JPEG that says how large it is, its last scan repeated."""
    data = bytearray(saved(image, "JPEG", progressive=True))
    frame = data.index(b"\xff\xc2")
    data[frame + 5 : frame + 9] = struct.pack(">HH", *size_px[::-1])
    start, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return bytes(data[:end] + data[start:end] * n_scans + data[end:])


def hostile_files() -> dict[str, bytes]:
    """Content by name."""
    eye = draw_fundus(FundusDrawing(seed=8, scale=0.3))
    jpeg, whole_png = saved(eye, "JPEG", quality=90), saved(eye, "PNG")
    tiff, webp = saved(eye, "TIFF"), saved(eye, "WEBP")
    zeros = zlib.compress(bytes(30_000_000), 9)
    sized = bytearray(jpeg)
    frame = sized.index(b"\xff\xc0")
    sized[frame + 5 : frame + 9] = struct.pack(">HH", 9900, 9900)
    files = {
        "ok.jpg": jpeg,
        "ok.png": whole_png,
        "ok.tif": tiff,
        "ok.webp": webp,
        "empty.jpg": b"",
        "text.jpg": b"Dear colleague",
        "html.jpg": b"<html><script>alert(1)</script></html>",
        "strips.tif": tiff_of_strips(1_000_000),
        "alpha.webp": transparent_webp(16_000, 6_000),
        "alpha_small.webp": transparent_webp(2_000, 1_500),
        "bomb.png": png(9_900, 9_900, zeros),
        "surplus_pixels.png": png(500, 500, zeros),
        "text_bomb.png": png(64, 64, zeros, before=chunk(b"zTXt", b"a\x00\x00" + zeros)),
        "profile_bomb.png": png(64, 64, zlib.compress(bytes(193 * 64)), before=chunk(b"iCCP", b"a\x00\x00" + zeros)),
        "no_zlib.png": png(500, 500, b"notzlib"),
        "short.png": png(500, 500, zlib.compress(bytes(1000))),
        "scans.jpg": progressive(eye, 60, (5_000, 4_000)),
        "scans_small.jpg": progressive(eye, 40, eye.size),
        "98_megapixels.jpg": bytes(sized),
        "polyglot.jpg": jpeg + b"PK\x03\x04" + bytes(100),
        "early_end.jpg": jpeg[: len(jpeg) // 2].rstrip(b"\xff") + b"\xff\xd9",
        "self_chain.tif": tiff_of_strips(64).replace(bytes(4) + b"\x08" * 64, b"\x08" + bytes(3) + b"\x08" * 64),
    }
    for name, data in (("jpg", jpeg), ("png", whole_png), ("tif", tiff), ("webp", webp)):
        files[f"half.{name}"] = data[: len(data) // 2]
        files[f"changed.{name}"] = data[:200] + bytes(byte ^ 0x55 for byte in data[200:260]) + data[260:]
    return files
