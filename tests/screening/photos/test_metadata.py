"""What depends on neither words nor pixels: transparency, sizes read from headers, formats nobody can clean."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from screening.photos import metadata
from screening.photos.validation import validate
from tests.builders import photo_bytes


def test_transparency_of_a_png_is_kept() -> None:
    written = BytesIO()
    Image.new("RGBA", (80, 80), (200, 80, 40, 128)).save(written, format="PNG")
    cleaned = validate(written.getvalue()).cleaned
    assert Image.open(BytesIO(cleaned)).getpixel((0, 0)) == (200, 80, 40, 128)


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"icc_profile": b"\x00" * 200}])
def test_the_size_of_every_kind_of_webp_is_read_from_its_header(options: dict[str, Any]) -> None:
    assert metadata.webp_size(photo_bytes("WEBP", (201, 77), **options)) == (201, 77)


def test_a_format_without_a_way_to_clean_it_is_an_error() -> None:
    with pytest.raises(KeyError):
        metadata.strip_metadata(b"GIF89a", format="GIF", orientation=1)
