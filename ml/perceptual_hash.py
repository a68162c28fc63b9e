"""Recognise the same picture again: encoded again, resized, mirrored, turned by 180 degrees, with other margins.

A perceptual hash of the field of view finds candidates through an index; the correlation of two small crops, place by
place, then decides. Two photographs of one eye are two pictures. ``python -m ml copies`` measures both.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ml.serving.field_of_view import FieldOfView, detect_fov
from ml.serving.preprocess import Photo, crop_to_fov, decode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Signs = NDArray[np.bool_]

SIDE_PX = 64
"""Side of the crop."""
N_BITS, N_BANDS = 192, 12
BITS_PER_BAND = N_BITS // N_BANDS
MAX_DIFFERENT_BITS = 48
"""Of copies 99 in 100 differ in up to 30 bits, unrelated photographs mostly in 90."""
N_UNCERTAIN_BITS = 2
"""Bits of each band that a search also tries the other way: those nearest to 0."""
MIN_LOCAL_CORRELATION = 0.87
"""Correlation that nine in ten textured places of two copies reach. The figures: ``python -m ml copies``."""
MIN_CERTAIN_CORRELATION = 0.945
"""Two photographs of one eye that follow each other reach 0.94 (EyePACS, patient 10363); most copies reach more."""
MIN_DETAIL = 1.0
"""Standard deviation of the detail in grey levels: below it there is only noise, the same in all black photographs."""
_DECODED_PX = 256
_FINE_PX, _COARSE_PX, _LOCAL_PX = 1.0, 4.0, 4.0
_MIN_FREQUENCY = 4.0
"""In half periods across the crop. Lower ones hold the illumination, which is similar in all photographs."""
_MIN_TEXTURE = 0.6
"""Of the median: places with less hold noise of the compression."""
_MIN_PIXELS = 500
_SCALES = (0.92, 0.96, 1.0, 1.04, 1.08)
_MAX_SHIFT_PX = 6
_MIN_ALIGNED_CORRELATION = 0.8
"""Of the whole crops after the search for a shift: below it they are not compared any further."""
_FLIPS = ((1, 1), (1, -1), (-1, 1), (-1, -1))
"""Steps along rows and columns: as it is, mirrored, upside down, both."""
_METHODS = (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.ROTATE_180)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureHash:
    """``bits``: the perceptual hash, N_BITS / 8 bytes. ``crop``: the grey field of view, S * S bytes, 0 outside it."""

    bits: bytes
    crop: bytes


def hash_picture(photo: Photo) -> PictureHash | None:
    """Hash and crop of a photograph; None without detail, as in a black frame. Raises GradingError as ``decode``."""
    return _hash_image(decode(photo, min_side_px=_DECODED_PX))


def hash_flips(photo: Photo) -> list[PictureHash]:
    """The hash of a photograph, then those of it flipped in each way, to search for copies; empty without detail.

    The field of view of a cut or dark photograph is detected a little differently if it is flipped.
    """
    image = decode(photo, min_side_px=_DECODED_PX)
    first = _hash_image(image)
    if first is None:
        return []
    flipped = (_hash_image(image.transpose(method)) for method in _METHODS)
    return [first, *(found for found in flipped if found is not None)]


def _hash_image(image: Image.Image) -> PictureHash | None:
    whole = FieldOfView(image.width / 2, image.height / 2, max(image.size) / 2, dark_level=0)
    crop = crop_to_fov(image, detect_fov(image) or whole, side_px=SIDE_PX)
    grey = np.maximum(np.asarray(Image.fromarray(crop.pixels).convert("L")), 1) * _eroded(crop.mask)
    detail, mask = _detail(grey)
    if mask.sum() < _MIN_PIXELS or np.sqrt((detail**2).sum() / mask.sum()) < MIN_DETAIL:
        return None
    return PictureHash(bits=np.packbits(_coefficients(detail) > 0).tobytes(), crop=grey.tobytes())


def band_values(hashed: PictureHash) -> list[int]:
    """The bands of a hash as integers, to store in an index. Each has the number of its band in the upper bits."""
    return _values(np.unpackbits(np.frombuffer(hashed.bits, np.uint8)).astype(np.bool_))


def probe_values(hashed: PictureHash) -> list[int]:
    """The integers under which copies of a picture are stored: its bands in each flip, and with uncertain bits."""
    coefficients = _coefficients(_detail(_pixels(hashed))[0])
    found: set[int] = set()
    for rows, columns in _FLIPS:
        signs = coefficients * _parity(rows, columns) > 0
        bands = np.abs(coefficients).reshape(BITS_PER_BAND, N_BANDS)  # as in _values: bit i is of band i % N_BANDS
        found.update(_values(signs))
        for uncertain in np.argsort(bands, axis=0)[:N_UNCERTAIN_BITS]:  # (N_BANDS,) one bit of each band
            inverted = signs.copy().reshape(bands.shape)
            inverted[uncertain, np.arange(N_BANDS)] ^= True
            found.update(_values(inverted.ravel()))
    return sorted(found)


def n_different_bits(first: bytes, second: bytes) -> int:
    """Bits in which two hashes differ, in the flip in which they differ least."""
    return min(_differences(first, second))


def is_same_picture(first: PictureHash, second: PictureHash, *, min_correlation: float = MIN_LOCAL_CORRELATION) -> bool:
    """Whether two photographs are one picture."""
    return local_correlation(first, second) >= min_correlation


def local_correlation(first: PictureHash, second: PictureHash) -> float:
    """Correlation that nine in ten textured places of two pictures reach, -1 to 1; -1 if the hashes are far apart."""
    detail, mask = _detail(_pixels(first))
    best = -1.0
    for flip, n_bits in zip(_FLIPS, _differences(first.bits, second.bits), strict=True):
        if n_bits > MAX_DIFFERENT_BITS:
            continue
        other = _detail(np.ascontiguousarray(_pixels(second)[:: flip[0], :: flip[1]]))
        best = max(best, _tenth_percentile((detail, mask), other))
        if best < MIN_CERTAIN_CORRELATION and (aligned := _aligned((detail, mask), other)) is not None:
            best = max(best, _tenth_percentile((detail, mask), aligned))
    return best


def _pixels(hashed: PictureHash) -> "NDArray[np.uint8]":
    return np.frombuffer(hashed.crop, np.uint8).reshape(SIDE_PX, SIDE_PX)


def _eroded(mask: "NDArray[np.bool_]") -> "NDArray[np.bool_]":
    """Without the pixels at its rim, which are half margin if the copy has margins."""
    padded = np.pad(mask, 1)
    rows = padded[:-2] & padded[1:-1] & padded[2:]
    eroded: NDArray[np.bool_] = rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]
    return eroded


def _detail(grey: "NDArray[np.uint8]") -> "tuple[Floats, Floats]":
    """Difference of Gaussians (S, S), 0 outside the field of view, and the mask (S, S) of 0 and 1."""
    mask = (grey > 0).astype(np.float32)
    coarse = _blurred(grey * mask, _COARSE_PX) / np.maximum(_blurred(mask, _COARSE_PX), 1e-3)
    return _blurred((grey - coarse) * mask, _FINE_PX) * mask, mask


@lru_cache(maxsize=4)
def _gaussian(sigma_px: float) -> "Floats":
    """(S, S): multiplied from both sides it blurs an image."""
    distance = np.arange(SIDE_PX)[:, None] - np.arange(SIDE_PX)
    weights: Floats = np.exp(-(distance**2) / (2 * sigma_px**2)) / (sigma_px * np.sqrt(2 * np.pi))
    return weights.astype(np.float32)


def _blurred(image: "Floats", sigma_px: float) -> "Floats":
    blurred: Floats = _gaussian(sigma_px) @ image @ _gaussian(sigma_px)
    return blurred


@lru_cache(maxsize=1)
def _frequencies() -> "tuple[NDArray[np.intp], NDArray[np.intp]]":
    """Row and column (N_BITS,) of the coefficients of the hash: the lowest ones from _MIN_FREQUENCY on."""
    rows, columns = np.indices((SIDE_PX, SIDE_PX))
    radius = np.hypot(rows, columns).ravel()
    order = np.argsort(radius, kind="stable")
    chosen = order[radius[order] >= _MIN_FREQUENCY][:N_BITS]
    return chosen // SIDE_PX, chosen % SIDE_PX


@lru_cache(maxsize=1)
def _cosines() -> "Floats":
    """(S, S): the discrete cosine transform (type II) along one axis."""
    steps = np.arange(SIDE_PX)
    return np.cos(np.pi * (steps + 0.5) * steps[:, None] / SIDE_PX).astype(np.float32)


def _coefficients(detail: "Floats") -> "Floats":
    """(N_BITS,): a mirrored or turned picture has the same ones with other signs."""
    coefficients: Floats = (_cosines() @ detail @ _cosines().T)[_frequencies()]
    return coefficients


@lru_cache(maxsize=4)
def _parity(rows: int, columns: int) -> "Floats":
    """(N_BITS,) 1 or -1: what a turn changes in the coefficients."""
    row, column = _frequencies()
    return np.float32(rows) ** row * np.float32(columns) ** column


def flip_signs() -> "Floats":
    """(4, N_BITS) 1 or -1: -1 for the bits that each turn inverts."""
    return np.stack([_parity(*flip) for flip in _FLIPS])


@lru_cache(maxsize=1)
def _flip_patterns() -> tuple[int, ...]:
    """The bits that each turn inverts."""
    return tuple(int.from_bytes(np.packbits(signs < 0).tobytes(), "big") for signs in flip_signs())


def _differences(first: bytes, second: bytes) -> list[int]:
    difference = int.from_bytes(first, "big") ^ int.from_bytes(second, "big")
    return [(difference ^ pattern).bit_count() for pattern in _flip_patterns()]


def _values(signs: "Signs") -> list[int]:
    bands = signs.reshape(BITS_PER_BAND, N_BANDS).T @ (1 << np.arange(BITS_PER_BAND))
    return [(number << BITS_PER_BAND) + int(bits) for number, bits in enumerate(bands)]


def _tenth_percentile(first: "tuple[Floats, Floats]", second: "tuple[Floats, Floats]") -> float:
    """10th percentile of the correlation around each textured place that both pictures show."""
    mask = first[1] * second[1]
    weight = np.maximum(_blurred(mask, _LOCAL_PX), 1e-4)

    def mean(values: "Floats") -> "Floats":
        return _blurred(values * mask, _LOCAL_PX) / weight

    (a, _), (b, _) = first, second
    variances = np.maximum(mean(a * a) - mean(a) ** 2, 0) * np.maximum(mean(b * b) - mean(b) ** 2, 0)
    correlation = (mean(a * b) - mean(a) * mean(b)) / np.sqrt(np.maximum(variances, 1e-6))
    inside = mask > 0
    if inside.sum() < _MIN_PIXELS:
        return -1.0
    texture = variances[inside] ** 0.25
    return float(np.percentile(correlation[inside][texture > _MIN_TEXTURE * np.median(texture)], 10))


def _aligned(first: "tuple[Floats, Floats]", second: "tuple[Floats, Floats]") -> "tuple[Floats, Floats] | None":
    """``second``, scaled and shifted a little for its best correlation with ``first``: margins move the circle.

    None if they differ in any case.
    """
    spectrum = np.fft.rfft2(first[0], (2 * SIDE_PX, 2 * SIDE_PX))
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


def _best_shift(
    spectrum: "NDArray[np.complexfloating[Any, Any]]", other: "Floats", scale: float
) -> tuple[float, float, float, float]:
    """Correlation (not normalised by the first picture), scale, shift to the right and down, px."""
    scaled = _sampled((other, np.ones_like(other)), scale, 0.0, 0.0)[0]
    product = spectrum * np.conj(np.fft.rfft2(scaled, (2 * SIDE_PX, 2 * SIDE_PX)))
    correlation = np.roll(np.fft.irfft2(product), (_MAX_SHIFT_PX, _MAX_SHIFT_PX), (0, 1))
    near = correlation[: 2 * _MAX_SHIFT_PX + 1, : 2 * _MAX_SHIFT_PX + 1]
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
