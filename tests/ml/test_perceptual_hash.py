"""A copy of a photograph is the same picture; the photograph of another eye, or noise, is not."""

from collections.abc import Callable
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image, ImageOps

from ml import perceptual_hash, picture_correlation
from ml.errors import GradingError
from ml.perceptual_hash import (
    MAX_BITS_OF_ONE_DETECTION,
    N_BANDS,
    N_BITS,
    SIDE_PX,
    PictureHash,
    band_values,
    hash_flips,
    hash_picture,
    n_different_bits,
    probe_values,
)
from ml.picture_correlation import is_same_picture, local_correlation
from ml.serving.field_of_view import detect_fov
from tests.copies import SAME_PICTURE, synthetic_photo


def hash_of(photo: bytes | Image.Image) -> PictureHash:
    found = hash_picture(photo)
    assert found is not None
    return found


@pytest.mark.parametrize("copy", SAME_PICTURE.values(), ids=SAME_PICTURE)
@pytest.mark.parametrize(("seed", "laterality"), [(7, "OD"), (12, "OS")])
def test_a_copy_is_found_by_its_bands_and_recognised(
    seed: int, laterality: str, copy: Callable[[Image.Image], bytes]
) -> None:
    original, altered = hash_of(synthetic_photo(seed, laterality)), hash_of(copy(synthetic_photo(seed, laterality)))
    assert set(band_values(original)) & set(probe_values(altered))
    assert set(band_values(altered)) & set(probe_values(original))
    assert is_same_picture(original, altered)
    assert is_same_picture(altered, original)


@pytest.mark.parametrize("grade", [0, 4])
def test_other_eyes_are_other_pictures(grade: int) -> None:
    hashes = [hash_of(synthetic_photo(seed, "OD" if seed % 2 else "OS", grade)) for seed in range(30, 40)]
    for number, first in enumerate(hashes):
        assert not any(is_same_picture(first, second) for second in hashes[number + 1 :])


@pytest.mark.parametrize("level", [0, 5, 255])
def test_a_photograph_without_detail_has_no_hash(level: int) -> None:
    assert hash_picture(Image.new("RGB", (300, 200), (level, level, level))) is None
    noise = np.random.default_rng(level).integers(max(0, level - 2), min(255, level + 2) + 1, (200, 300, 3), np.uint8)
    assert hash_picture(Image.fromarray(noise)) is None


def test_a_broken_file_is_an_error() -> None:
    with pytest.raises(GradingError):
        hash_picture(b"Dear colleague")


def test_the_hash_has_bands_for_an_index() -> None:
    found = hash_of(synthetic_photo())
    values = band_values(found)
    assert (len(found.bits) * 8, len(set(values))) == (N_BITS, N_BANDS)
    assert set(values) <= set(probe_values(found))
    assert n_different_bits(found.bits, found.bits) == 0
    mirrored = hash_of(ImageOps.mirror(synthetic_photo()))
    assert n_different_bits(found.bits, mirrored.bits) <= 8


def test_only_flips_that_differ_are_searched_for() -> None:
    whole = synthetic_photo(9)
    assert hash_flips(whole) == [hash_of(whole)]
    left = round(0.3 * whole.width)
    cut = whole.crop((left, 0, whole.width, whole.height))  # its circle is fitted to a short arc
    first, second = hash_flips(cut)
    assert first == hash_of(cut)
    assert n_different_bits(first.bits, second.bits) > MAX_BITS_OF_ONE_DETECTION


def test_a_field_of_view_inside_the_frame_is_detected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    detect = Mock(side_effect=detect_fov)
    monkeypatch.setattr(perceptual_hash, "detect_fov", detect)
    whole = synthetic_photo(9)
    hash_flips(whole)
    assert detect.call_count == 1
    hash_flips(whole.crop((round(0.3 * whole.width), 0, whole.width, whole.height)))
    assert detect.call_count == 1 + 4


def test_pictures_with_little_in_common_are_not_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = np.random.default_rng(1).integers(80, 120, (2, SIDE_PX, SIDE_PX), np.uint8)
    first, second = (PictureHash(bits=bytes(N_BITS // 8), crop=crop.tobytes()) for crop in levels)
    align = Mock(return_value=None)
    monkeypatch.setattr(picture_correlation, "_aligned", align)
    assert local_correlation(first, second) == -1
    assert not align.called
    assert local_correlation(first, first) > 0.99
