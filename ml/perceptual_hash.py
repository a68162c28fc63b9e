"""Perceptual hash of the field of view: finds photographs that may be the same picture, through an index.

A copy may be encoded again, resized, mirrored, turned by 180 degrees, or have other margins.
``ml.picture_correlation`` decides whether two photographs are one picture. ``python -m ml copies`` measures both.
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
MIN_DETAIL = 1.0
"""Standard deviation of the detail in grey levels: below it there is only noise, the same in all black photographs."""
_DECODED_PX = 256
_FINE_PX, _COARSE_PX = 1.0, 4.0
_MIN_FREQUENCY = 4.0
"""In half periods across the crop. Lower ones hold the illumination, which is similar in all photographs."""
MIN_PIXELS = 500
"""Of the field of view: below it there is nothing to compare."""
MAX_BITS_OF_ONE_DETECTION = 16
"""Flips whose hash differs from an earlier one in no more bits find the same copies: of 1,400 not one more is found."""
MAX_CUT = 0.02
"""Fraction of the radius. Of 180 fields of view that the frame cuts by less, no hash differs by more than 19 bits if
the photograph is flipped."""
FLIPS = ((1, 1), (1, -1), (-1, 1), (-1, -1))
"""Steps along rows and columns: as it is, mirrored, upside down, both."""
_METHODS = (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.ROTATE_180)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureHash:
    """``bits``: the perceptual hash, N_BITS / 8 bytes. ``crop``: the grey field of view, S * S bytes, 0 outside it."""

    bits: bytes
    crop: bytes


def hash_picture(photo: Photo) -> PictureHash | None:
    """Hash and crop of a photograph; None without detail, as in a black frame. Raises GradingError as ``decode``."""
    image = decode(photo, min_side_px=_DECODED_PX, reduce_all=True)
    return _hash_image(image, detect_fov(image))


def hash_flips(photo: Photo) -> list[PictureHash]:
    """The hash of a photograph, then those of it flipped that differ, to search for copies; empty without detail.

    The field of view is detected a little differently in a flipped photograph if the frame cuts it, or if it is dark.
    """
    image = decode(photo, min_side_px=_DECODED_PX, reduce_all=True)
    fov = detect_fov(image)
    first = _hash_image(image, fov)
    if first is None:
        return []
    hashes = [first]
    if fov is not None and _cut_px(fov, image.size) < MAX_CUT * fov.radius_px:
        return hashes
    flips = (image.transpose(method) for method in _METHODS)
    for flipped in (_hash_image(one, detect_fov(one)) for one in flips):
        if flipped is None:
            continue
        if all(n_different_bits(flipped.bits, one.bits) > MAX_BITS_OF_ONE_DETECTION for one in hashes):
            hashes.append(flipped)
    return hashes


def _cut_px(fov: FieldOfView, size_px: tuple[int, int]) -> float:
    """How far the circle reaches outside the frame; less than 0 if it is inside."""
    edges = (fov.x_px, fov.y_px, size_px[0] - fov.x_px, size_px[1] - fov.y_px)
    return fov.radius_px - min(edges)


def _hash_image(image: Image.Image, fov: FieldOfView | None) -> PictureHash | None:
    whole = FieldOfView(image.width / 2, image.height / 2, max(image.size) / 2, dark_level=0)
    crop = crop_to_fov(image, fov or whole, side_px=SIDE_PX)
    grey = np.maximum(np.asarray(Image.fromarray(crop.pixels).convert("L")), 1) * _eroded(crop.mask)
    detail, mask = detail_of(grey)
    if mask.sum() < MIN_PIXELS or np.sqrt((detail**2).sum() / mask.sum()) < MIN_DETAIL:
        return None
    return PictureHash(bits=np.packbits(_coefficients(detail) > 0).tobytes(), crop=grey.tobytes())


def band_values(hashed: PictureHash) -> list[int]:
    """The bands of a hash as integers, to store in an index. Each has the number of its band in the upper bits."""
    return _values(np.unpackbits(np.frombuffer(hashed.bits, np.uint8)).astype(np.bool_))


def probe_values(hashed: PictureHash) -> list[int]:
    """The integers under which copies of a picture are stored: its bands in each flip, and with uncertain bits."""
    coefficients = _coefficients(detail_of(pixels(hashed))[0])
    found: set[int] = set()
    for rows, columns in FLIPS:
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
    return min(differences(first, second))


def pixels(hashed: PictureHash) -> "NDArray[np.uint8]":
    """The crop as grey levels (S, S)."""
    return np.frombuffer(hashed.crop, np.uint8).reshape(SIDE_PX, SIDE_PX)


def _eroded(mask: "NDArray[np.bool_]") -> "NDArray[np.bool_]":
    """Without the pixels at its rim, which are half margin if the copy has margins."""
    padded = np.pad(mask, 1)
    rows = padded[:-2] & padded[1:-1] & padded[2:]
    eroded: NDArray[np.bool_] = rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]
    return eroded


def detail_of(grey: "NDArray[np.uint8]") -> "tuple[Floats, Floats]":
    """Difference of Gaussians (S, S), 0 outside the field of view, and the mask (S, S) of 0 and 1."""
    mask = (grey > 0).astype(np.float32)
    coarse = blurred(grey * mask, _COARSE_PX) / np.maximum(blurred(mask, _COARSE_PX), 1e-3)
    return blurred((grey - coarse) * mask, _FINE_PX) * mask, mask


@lru_cache(maxsize=4)
def _gaussian(sigma_px: float) -> "Floats":
    """(S, S): multiplied from both sides it blurs an image."""
    distance = np.arange(SIDE_PX)[:, None] - np.arange(SIDE_PX)
    weights: Floats = np.exp(-(distance**2) / (2 * sigma_px**2)) / (sigma_px * np.sqrt(2 * np.pi))
    return weights.astype(np.float32)


def blurred(image: "Floats", sigma_px: float) -> "Floats":
    """An image (S, S) after a Gaussian filter."""
    found: Floats = _gaussian(sigma_px) @ image @ _gaussian(sigma_px)
    return found


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
    return np.stack([_parity(*flip) for flip in FLIPS])


@lru_cache(maxsize=1)
def _flip_patterns() -> tuple[int, ...]:
    """The bits that each turn inverts."""
    return tuple(int.from_bytes(np.packbits(signs < 0).tobytes(), "big") for signs in flip_signs())


def differences(first: bytes, second: bytes) -> list[int]:
    """Bits in which two hashes differ, for each of ``FLIPS`` of the second."""
    difference = int.from_bytes(first, "big") ^ int.from_bytes(second, "big")
    return [(difference ^ pattern).bit_count() for pattern in _flip_patterns()]


def _values(signs: "Signs") -> list[int]:
    bands = signs.reshape(BITS_PER_BAND, N_BANDS).T @ (1 << np.arange(BITS_PER_BAND))
    return [(number << BITS_PER_BAND) + int(bits) for number, bits in enumerate(bands)]
