"""Whether two photographs are one picture: the correlation of their small crops, place by place.

Two photographs of one eye are two pictures. ``python -m ml copies`` measures how often either is mistaken.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.perceptual_hash import (
    FLIPS,
    MAX_DIFFERENT_BITS,
    MIN_PIXELS,
    SIDE_PX,
    PictureHash,
    blurred,
    detail_of,
    differences,
    pixels,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Spectrum = NDArray[np.complexfloating[Any, Any]]

MIN_LOCAL_CORRELATION = 0.87
"""Correlation that nine in ten textured places of two copies reach. The figures: ``python -m ml copies``."""
MIN_CERTAIN_CORRELATION = 0.945
"""Two photographs of one eye that follow each other reach 0.94 (EyePACS, patient 10363); most copies reach more."""
MIN_WINDOWED_CORRELATION = 0.9
"""Of 700 copies the least has 0.934; 96 in 100 unrelated photographs with similar hashes have less than 0.9."""
_LOCAL_PX = 4.0
_MIN_TEXTURE = 0.6
"""Of the median: places with less hold noise of the compression."""
_SCALES = (0.92, 0.96, 1.0, 1.04, 1.08)
_MAX_SHIFT_PX = 6
_PADDED_PX = 72
"""At least SIDE_PX + _MAX_SHIFT_PX: a shift does not come in again on the other side."""
_MIN_ALIGNED_CORRELATION = 0.8
"""Of the whole crops after the search for a shift: below it they are not compared any further."""


def is_same_picture(first: PictureHash, second: PictureHash, *, min_correlation: float = MIN_LOCAL_CORRELATION) -> bool:
    """Whether two photographs are one picture."""
    return local_correlation(first, second) >= min_correlation


def local_correlation(first: PictureHash, second: PictureHash) -> float:
    """Correlation that nine in ten textured places of two pictures reach, -1 to 1; -1 if they are far apart."""
    best = -1.0
    for flip, n_bits in zip(FLIPS, differences(first.bits, second.bits), strict=True):
        if n_bits > MAX_DIFFERENT_BITS:
            continue
        flipped = np.ascontiguousarray(pixels(second)[:: flip[0], :: flip[1]]).tobytes()
        if _windowed_correlation(first.crop, flipped) >= MIN_WINDOWED_CORRELATION:
            best = max(best, _local_correlation(_detail(first.crop), _detail(flipped)))
    return best


def _local_correlation(first: "tuple[Floats, Floats]", second: "tuple[Floats, Floats]") -> float:
    found = _tenth_percentile(first, second)
    if found < MIN_CERTAIN_CORRELATION and (aligned := _aligned(first, second)) is not None:
        return max(found, _tenth_percentile(first, aligned))
    return found


@lru_cache(maxsize=8)
def _detail(crop: bytes) -> "tuple[Floats, Floats]":
    return detail_of(np.frombuffer(crop, np.uint8).reshape(SIDE_PX, SIDE_PX))


@lru_cache(maxsize=8)
def _windowed_spectrum(crop: bytes) -> "Spectrum":
    """Of the detail under a cosine window, with a norm of 1: all photographs share the rim of the field of view."""
    windowed = _detail(crop)[0] * _window()
    norm = max(float(np.linalg.norm(windowed)), 1e-6)
    return np.fft.rfft2(windowed / norm, (_PADDED_PX, _PADDED_PX))


@lru_cache(maxsize=1)
def _window() -> "Floats":
    """(S, S): 1 at the centre, 0 from 0.95 of the radius on."""
    distance = (np.arange(SIDE_PX) - (SIDE_PX - 1) / 2) / (SIDE_PX / 2)
    radius = np.minimum(np.hypot(distance[:, None], distance) / 0.95, 1)
    window: Floats = np.cos(np.pi / 2 * radius).astype(np.float32)
    return window


def _windowed_correlation(first: bytes, second: bytes) -> float:
    """Correlation of two crops at the best shift: tells most unrelated pictures in a seventh of the time."""
    product = _windowed_spectrum(first) * np.conj(_windowed_spectrum(second))
    return float(_near_shifts(np.fft.irfft2(product, (_PADDED_PX, _PADDED_PX))).max())


def _near_shifts(correlation: "Floats") -> "Floats":
    """(13, 13) of a correlation by shift: those up to _MAX_SHIFT_PX, from the most negative one on."""
    rolled: Floats = np.roll(correlation, (_MAX_SHIFT_PX, _MAX_SHIFT_PX), (0, 1))
    return rolled[: 2 * _MAX_SHIFT_PX + 1, : 2 * _MAX_SHIFT_PX + 1]


def _tenth_percentile(first: "tuple[Floats, Floats]", second: "tuple[Floats, Floats]") -> float:
    """10th percentile of the correlation around each textured place that both pictures show."""
    mask = first[1] * second[1]
    weight = np.maximum(blurred(mask, _LOCAL_PX), 1e-4)

    def mean(values: "Floats") -> "Floats":
        return blurred(values * mask, _LOCAL_PX) / weight

    (a, _), (b, _) = first, second
    variances = np.maximum(mean(a * a) - mean(a) ** 2, 0) * np.maximum(mean(b * b) - mean(b) ** 2, 0)
    correlation = (mean(a * b) - mean(a) * mean(b)) / np.sqrt(np.maximum(variances, 1e-6))
    inside = mask > 0
    if inside.sum() < MIN_PIXELS:
        return -1.0
    texture = variances[inside] ** 0.25
    return float(np.percentile(correlation[inside][texture > _MIN_TEXTURE * np.median(texture)], 10))


def _aligned(first: "tuple[Floats, Floats]", second: "tuple[Floats, Floats]") -> "tuple[Floats, Floats] | None":
    """``second``, scaled and shifted a little for its best correlation with ``first``: margins move the circle.

    None if they differ in any case.
    """
    spectrum = np.fft.rfft2(first[0], (_PADDED_PX, _PADDED_PX))
    best = max(_best_shift(spectrum, second[0], scale) for scale in _SCALES)
    correlation, scale, right, down = best
    if correlation < _MIN_ALIGNED_CORRELATION * float(np.linalg.norm(first[0])):
        return None
    position, value = (scale, right, down), -1.0
    for step in (0.5, 0.25):
        moves = ((0.04 * step, 0.0, 0.0), (0.0, step, 0.0), (0.0, 0.0, step))
        is_better = True
        while is_better:
            candidates = [
                tuple(p + sign * m for p, m in zip(position, move, strict=True)) for move in moves for sign in (1, -1)
            ]
            found = max((_correlation(first, _sampled(second, *near)), near) for near in (position, *candidates))
            is_better = found[0] > value + 1e-4
            if is_better:
                value, position = found[0], (found[1][0], found[1][1], found[1][2])
    return _sampled(second, *position)


def _best_shift(spectrum: "Spectrum", other: "Floats", scale: float) -> tuple[float, float, float, float]:
    """Correlation (not normalised by the first picture), scale, shift to the right and down, px."""
    scaled = _sampled((other, np.ones_like(other)), scale, 0.0, 0.0)[0]
    product = spectrum * np.conj(np.fft.rfft2(scaled, (_PADDED_PX, _PADDED_PX)))
    near = _near_shifts(np.fft.irfft2(product, (_PADDED_PX, _PADDED_PX)))
    down, right = np.unravel_index(int(near.argmax()), near.shape)
    norm = max(float(np.linalg.norm(scaled)), 1e-6)
    shift = float(_MAX_SHIFT_PX - right) * scale, float(_MAX_SHIFT_PX - down) * scale
    return float(near.max()) / norm, scale, *shift


def _correlation(first: "tuple[Floats, Floats]", second: "tuple[Floats, Floats]") -> float:
    mask = first[1] * second[1]
    a, b = first[0] * mask, second[0] * mask
    return float((a * b).sum() / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-6))


def _sampled(crop: "tuple[Floats, Floats]", scale: float, right_px: float, down_px: float) -> "tuple[Floats, Floats]":
    """Detail and mask (S, S), scaled about the centre, then shifted; bilinear."""
    axis = (np.arange(SIDE_PX, dtype=np.float32) - (SIDE_PX - 1) / 2) * np.float32(scale) + (SIDE_PX - 1) / 2
    rows, columns = _interpolation(axis + np.float32(down_px)), _interpolation(axis + np.float32(right_px))
    detail, mask = (rows @ plane @ columns.T for plane in crop)
    return detail, (mask > 0.99).astype(np.float32)


def _interpolation(position: "Floats") -> "Floats":
    """(S, S): the weights of the two neighbours of each position; none outside."""
    weights: Floats = np.maximum(0, 1 - np.abs(position[:, None] - np.arange(SIDE_PX, dtype=np.float32)))
    return weights
