"""Files that would occupy a decoder for minutes, and large photographs that share the memory."""

import struct
import threading
import zlib
from io import BytesIO

import pytest
from PIL import Image

from ml.serving.files import segments
from screening.photos import decode_lock
from screening.photos.validation import InvalidPhoto, validate
from tests.builders import photo_bytes


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
        pytest.param(progressive_with_scans(segments.MAX_SCANS), id="scans"),
        pytest.param(png_with_chunks(segments.MAX_SEGMENTS), id="PNG chunks"),
        pytest.param(webp_with_chunks(segments.MAX_SEGMENTS), id="WebP chunks"),
        pytest.param(jpeg_with_fill(2000), id="fill bytes"),
    ],
)
def test_a_decompression_bomb_is_refused_before_it_is_decoded(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.Image.open", lambda *_args, **_options: pytest.fail("a decoder was started"))
    with pytest.raises(InvalidPhoto) as caught:
        validate(data)
    assert caught.value.code == "damaged"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(progressive_with_scans(0), id="scans"),
        pytest.param(png_with_chunks(500), id="PNG chunks"),
        pytest.param(webp_with_chunks(500), id="WebP chunks"),
        pytest.param(jpeg_with_fill(3), id="fill bytes"),
    ],
)
def test_a_photograph_with_many_segments_is_accepted(data: bytes) -> None:
    assert validate(data).width_px >= 64


def test_only_large_photographs_wait_for_each_other() -> None:
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
