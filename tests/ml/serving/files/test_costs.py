"""Files that would take a decoder minutes or gigabytes are refused from their headers."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from ml.serving.files.photo_file import check_file
from ml.serving.files.rejections import InvalidFile
from ml.serving.files.segments import CorruptImage
from ml.serving.files.tiff import MAX_STRIPS, MAX_VALUES, check_directories

Tag = tuple[int, int, int, int]
SIZE: list[Tag] = [(256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]


def tiff(tags: list[Tag], *, following: int = 0, n_bytes: int = 10_000, order: str = "<") -> bytes:
    """A classic TIFF with one directory at byte 8."""
    head = (b"II*\x00" if order == "<" else b"MM\x00*") + struct.pack(f"{order}IH", 8, len(tags))
    rows = b"".join(struct.pack(f"{order}HHII", *tag) for tag in tags)
    return head + rows + struct.pack(f"{order}I", following) + bytes(n_bytes)


def big_tiff(tags: list[Tag], *, following: int = 0) -> bytes:
    rows = b"".join(struct.pack("<HHQQ", *tag) for tag in tags)
    head = b"II+\x00\x08\x00\x00\x00" + struct.pack("<QQ", 16, len(tags))
    return head + rows + struct.pack("<Q", following) + bytes(10_000)


def strips(n: int) -> list[Tag]:
    return [*SIZE, (273, 1, n, 200), (277, 3, 1, 1), (278, 3, 1, 1), (279, 1, n, 200)]


COSTLY = {
    "a million strips": tiff(strips(1_000_000), n_bytes=1_100_000),
    "more strips than allowed": tiff(strips(MAX_STRIPS + 1), n_bytes=100_000),
    "more strips than allowed, big-endian": tiff(strips(MAX_STRIPS + 1), n_bytes=100_000, order=">"),
    "more strips than allowed, BigTIFF": big_tiff(strips(MAX_STRIPS + 1)),
    "many tags": tiff([(700 + n, 3, 1, 1) for n in range(2000)]),
    "many values": tiff([*SIZE, (320, 3, MAX_VALUES + 1, 200)], n_bytes=1_000_000),
    "a tile of 4 gigapixels": tiff([*SIZE, (322, 4, 1, 65_536), (323, 4, 1, 65_536)]),
}


@pytest.mark.parametrize("data", COSTLY.values(), ids=COSTLY)
def test_a_costly_directory_is_refused_before_a_decoder_sees_it(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.Image.open", lambda *_args, **_options: pytest.fail("a decoder was started"))
    with pytest.raises(InvalidFile) as caught:
        check_file(data)
    assert caught.value.code == "over_limits"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(tiff(SIZE, following=8), id="a chain that returns to itself"),
        pytest.param(big_tiff(SIZE, following=16), id="a chain of a BigTIFF that returns to itself"),
        pytest.param(tiff([*SIZE, (700, 2, 1_000_000, 200)]), id="values outside the file"),
        pytest.param(b"II*\x00\xff\xff\xff\xff", id="a directory outside the file"),
        pytest.param(b"MM\x00+\x00\x08\x00\x00" + b"\xff" * 200, id="offsets of 2 to the power of 64"),
    ],
)
def test_a_broken_chain_of_directories_is_refused(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CorruptImage):
        check_directories(data)
    monkeypatch.setattr("PIL.Image.open", lambda *_args, **_options: pytest.fail("a decoder was started"))
    with pytest.raises(InvalidFile) as caught:
        check_file(data)
    assert caught.value.code == "damaged"


@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"big_tiff": True}, {"tiffinfo": {278: 1}}])
def test_a_usual_tiff_is_accepted(options: dict[str, object]) -> None:
    written = BytesIO()
    Image.new("RGB", (80, 3000)).save(written, "TIFF", **options)
    assert check_file(written.getvalue()).size_px == (80, 3000)


def webp_header(width_px: int, height_px: int) -> bytes:
    body = b"\x10" + bytes(3) + (width_px - 1).to_bytes(3, "little") + (height_px - 1).to_bytes(3, "little")
    chunk = b"VP8X" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def png_header(width_px: int, height_px: int, colour_type: int = 2) -> bytes:
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, 8, colour_type, 0, 0, 0)),
        (b"IDAT", b""),
        (b"IEND", b""),
    )
    packed = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(webp_header(16_000, 6_000), id="WebP of 96 megapixels"),
        pytest.param(png_header(9_900, 9_900), id="PNG of 98 megapixels"),
        pytest.param(png_header(8_000, 6_000, colour_type=6), id="transparent PNG of 48 megapixels"),
    ],
)
def test_an_image_that_needs_too_much_memory_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidFile) as caught:
        check_file(data)
    assert caught.value.code == "over_limits"


def progressive(size_px: tuple[int, int], n_extra: int) -> bytes:
    """A progressive JPEG whose last scan is repeated, and which says that it is larger than it is."""
    written = BytesIO()
    Image.new("RGB", (80, 80)).save(written, "JPEG", progressive=True)
    data = bytearray(written.getvalue())
    frame = data.index(b"\xff\xc2")
    data[frame + 5 : frame + 9] = struct.pack(">HH", *size_px[::-1])
    start, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return bytes(data[:end] + data[start:end] * n_extra + data[end:])


@pytest.mark.parametrize(("size_px", "n_extra"), [((9_900, 9_900), 0), ((6_000, 5_000), 40)])
def test_many_scans_of_a_large_image_are_refused(size_px: tuple[int, int], n_extra: int) -> None:
    with pytest.raises(InvalidFile) as caught:
        check_file(progressive(size_px, n_extra))
    assert caught.value.code == "over_limits"


def test_a_progressive_photograph_of_24_megapixels_is_accepted() -> None:
    assert check_file(progressive((6_000, 4_000), 0)).size_px == (6_000, 4_000)


def test_a_jpeg_that_lies_about_its_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    written = BytesIO()
    Image.new("RGB", (80, 80)).save(written, "JPEG")
    data = bytearray(written.getvalue())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 9900, 9900)
    monkeypatch.setattr("PIL.Image.open", lambda *_args, **_options: pytest.fail("a decoder was started"))
    with pytest.raises(InvalidFile) as caught:
        check_file(bytes(data))
    assert caught.value.code == "damaged"
