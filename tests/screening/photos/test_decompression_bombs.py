"""Small files made to keep a decoder busy, and large photographs that must not fill the memory together."""

import struct
import threading
import zlib
from io import BytesIO

import pytest
from PIL import Image

from screening.photos import decode_lock, metadata
from screening.photos.validation import InvalidPhoto, validate
from tests.builders import photo_bytes

SECRET = b"BYRON-ADA-19600517"


def progressive_with_scans(n_extra: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    written = BytesIO()
    Image.new("RGB", (80, 80)).save(written, "JPEG", progressive=True)
    data = written.getvalue()
    start, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:end] + data[start:end] * n_extra + data[end:]


def png_with_chunks(n_extra: int) -> bytes:
    data = photo_bytes("PNG")
    empty = struct.pack(">I", 0) + b"tEXt" + struct.pack(">I", zlib.crc32(b"tEXt"))
    return data[:33] + empty * n_extra + data[33:]


def webp_with_chunks(n_extra: int) -> bytes:
    data = photo_bytes("WEBP", lossless=True)
    chunks = data[12:] + b"NONE\x02\x00\x00\x00xx" * n_extra
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def jpeg_with_fill(n_bytes: int) -> bytes:
    data = photo_bytes()
    return data[:2] + b"\xff" * n_bytes + data[2:]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(progressive_with_scans(metadata.MAX_SCANS), id="scans"),
        pytest.param(png_with_chunks(metadata.MAX_SEGMENTS), id="PNG chunks"),
        pytest.param(webp_with_chunks(metadata.MAX_SEGMENTS), id="WebP chunks"),
        pytest.param(jpeg_with_fill(2000), id="fill bytes"),
    ],
)
def test_a_file_made_to_keep_a_decoder_busy_is_refused_before_it_is_opened(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PIL.Image.open", lambda *_args, **_options: pytest.fail("a decoder was started"))
    with pytest.raises(InvalidPhoto) as caught:
        validate(data)
    assert caught.value.code == "damaged"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(progressive_with_scans(20), id="scans"),
        pytest.param(png_with_chunks(500), id="PNG chunks"),
        pytest.param(webp_with_chunks(500), id="WebP chunks"),
        pytest.param(jpeg_with_fill(3), id="fill bytes"),
    ],
)
def test_a_photograph_with_many_parts_is_taken(data: bytes) -> None:
    assert validate(data).width_px >= 64


@pytest.mark.parametrize("marker", [0xF0, 0xF5, 0xFD, 0x02, 0xBF, 0xDF])
def test_segments_that_no_decoder_needs_are_cut_out(marker: int) -> None:
    data = photo_bytes()
    hidden = bytes([0xFF, marker]) + struct.pack(">H", 2 + len(SECRET)) + SECRET
    assert metadata.strip_metadata(
        data[:2] + hidden + data[2:], format="JPEG", orientation=1
    ) == metadata.strip_metadata(data, format="JPEG", orientation=1)


def test_words_behind_the_colour_mark_of_a_jpeg_are_cut_off() -> None:
    data = photo_bytes()
    mark = b"Adobe\x00d\x00\x00\x00\x00\x01"
    padded = b"\xff\xee" + struct.pack(">H", 2 + len(mark + SECRET)) + mark + SECRET
    cleaned = validate(data[:2] + padded + data[2:]).cleaned
    assert mark in cleaned
    assert SECRET not in cleaned


def test_large_photographs_wait_for_each_other_and_small_ones_do_not() -> None:
    entered = threading.Event()

    def decode_another() -> None:
        with decode_lock.large_image_lock(decode_lock.LARGE_PIXELS + 1):
            entered.set()

    with decode_lock.large_image_lock(decode_lock.LARGE_PIXELS + 1):
        other = threading.Thread(target=decode_another)
        other.start()
        with decode_lock.large_image_lock(decode_lock.LARGE_PIXELS):
            assert not entered.wait(0.05)
    assert entered.wait(5)
    other.join()
