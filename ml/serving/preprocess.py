"""Preprocess a photograph into network input, the same in training and serving.

Decode (at a reduced scale if the format allows), apply the EXIF orientation, detect the field of view, crop to it,
scale without distortion, set the surround to 0, and standardise the colours of different cameras.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ml.errors import GradingError
from ml.serving.decoders import decoders
from ml.serving.field_of_view import FieldOfView
from ml.serving.files.decoding import upright_rgb
from ml.serving.files.photo_file import PhotoFile
from ml.serving.files.rejections import MAX_BYTES
from ml.serving.inspection import inspect_photo
from ml.vocabulary import QualityReason

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Raised if the same photograph would give other pixels: a bundle serves only the version it was trained with.
PREPROCESSING_VERSION = 1
#: Raised if any photograph, such as one on white, is cropped otherwise: cached crops are made again.
CROP_VERSION = 2

#: Mean and standard deviation of every channel inside the field of view once standardised, in grey levels of 0..255.
COLOR_MEAN, COLOR_STD = 112.0, 48.0
#: Lower limit of a channel's standard deviation (grey levels) when it is scaled: amplified noise resembles lesions.
MIN_STD = 12.0
#: A row or column of the field of view with a smaller fraction of lit pixels is frame, not a shadow on the retina.
MIN_LIT_FRACTION = 0.1

#: The bands whose sharpness is measured: distance of their centres from that of the field of view in radii, largest
#: width and height in pixels and as fractions of the diameter, and the scale at which they are measured.
DETAIL_DISTANCE = 0.45
DETAIL_SIZE = ((200, 0.5), (112, 0.25))
MAX_DETAIL_DIAMETER_PX = 600

Box = tuple[float, float, float, float]
Photo = Image.Image | bytes | Path | PhotoFile


@dataclass(frozen=True, kw_only=True)  # without slots: it caches
class FundusCrop:
    """A photograph cropped to its field of view, as a square.

    ``pixels`` (S, S, 3) uint8 RGB are as photographed, 0 outside the field of view. ``mask`` (S, S) bool is the field
    of view; ``lit`` (S, S) bool its pixels brighter than the frame, so that shadows do not count in colour statistics.
    ``box`` is the square on the upright photograph, in fractions of its width and height (left, top, right, bottom);
    it reaches outside [0, 1] if the frame cuts the field of view. ``fov`` is in pixels of the decoded (reduced)
    photograph. ``detail`` (2, h, w) uint8 is green of two bands of the photograph as decoded, above and below the
    centre, 0 outside the frame; the field of view is ``detail_diameter_px`` wide at their scale. ``layout_reason`` says
    why it is not one photograph of one retina, ``has_writing`` whether something is written outside the retina.
    """

    pixels: "NDArray[np.uint8]"
    mask: "NDArray[np.bool_]"
    lit: "NDArray[np.bool_]"
    box: Box
    fov: FieldOfView
    detail: "NDArray[np.uint8]"
    detail_diameter_px: float
    layout_reason: QualityReason | None = None
    has_writing: bool = False

    @cached_property
    def image(self) -> Image.Image:
        """The pixels as an image. NB: it is made once, so that pixels must not change afterwards."""
        return Image.fromarray(self.pixels)


def read_photo(photo: bytes | Path | PhotoFile) -> bytes | PhotoFile:
    """The bytes of a file. Raises GradingError if it cannot be read."""
    if not isinstance(photo, Path):
        return photo
    try:
        with photo.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise GradingError("There is no such file. Check its name.") from None
    except PermissionError:
        raise GradingError("The file may not be read. Check its permissions.") from None
    except OSError as error:
        raise GradingError("The file could not be read. Check the disk or the network folder.") from error


def decode(photo: Photo, *, min_side_px: int, reduce_all: bool = False) -> Image.Image:
    """Decode to an upright RGB image over black, a JPEG at a reduced scale if possible; ``reduce_all``: every file.

    Its shorter side is at least ``min_side_px``, if the photograph has as much. Files are decoded as ``decoders``
    says, here or in a child process. Raises GradingError for everything that is not a complete photograph of an
    accepted format.
    """
    if isinstance(photo, Image.Image):
        return upright_rgb(photo)
    return decoders.decode(read_photo(photo), min_side_px=min_side_px, reduce_all=reduce_all)


def crop_fundus(photo: Photo, *, side_px: int) -> FundusCrop | None:
    """Crop a photograph to its field of view, S = ``side_px``; None if none is detected.

    A field of view that is small in its frame is decoded a second time at a finer scale, so that the square is never
    enlarged while the photograph holds more detail.
    """
    source = photo if isinstance(photo, Image.Image) else read_photo(photo)
    inspected = inspect_photo(decode(source, min_side_px=side_px))
    image, survey = inspected.image, inspected.survey
    if survey is None:
        return None
    fov = survey.fov
    if fov.diameter_px < side_px and not isinstance(source, Image.Image):
        finer = decode(source, min_side_px=int(side_px * min(image.size) / fov.diameter_px) + 1)
        if finer.width > image.width:
            fov, image = fov.scaled(finer.width / image.width), inspected.with_black_surroundings(finer)
    crop = crop_to_fov(image, fov, side_px=side_px)
    if inspected.reason is None and not inspected.has_writing:
        return crop
    return replace(crop, layout_reason=inspected.reason, has_writing=inspected.has_writing)


def crop_to_fov(image: Image.Image, fov: FieldOfView, *, side_px: int) -> FundusCrop:
    """Crop an upright image to the square around ``fov``; what lies outside the image is 0."""
    left, top = fov.x_px - fov.radius_px, fov.y_px - fov.radius_px
    side = fov.diameter_px
    inner = (max(0.0, left), max(0.0, top), min(float(image.width), left + side), min(float(image.height), top + side))
    scale = side_px / side
    x0, y0 = round((inner[0] - left) * scale), round((inner[1] - top) * scale)
    x1 = min(side_px, max(x0 + 1, round((inner[2] - left) * scale)))
    y1 = min(side_px, max(y0 + 1, round((inner[3] - top) * scale)))
    resized = image.resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR, box=inner)  # Pillow's is antialiased
    pixels = np.zeros((side_px, side_px, 3), np.uint8)
    pixels[y0:y1, x0:x1] = np.asarray(resized)
    circle, circle_of_bytes = _inside_circle(side_px)
    pixels &= circle_of_bytes
    mask = np.zeros((side_px, side_px), np.bool_)
    mask[y0:y1, x0:x1] = circle[y0:y1, x0:x1]
    lit = _is_brighter(pixels, fov.dark_level)
    _clear_bars(pixels, mask, lit)
    width, height = image.size
    box = (left / width, top / height, (left + side) / width, (top + side) / height)
    detail, detail_diameter_px = _detail(image, fov)
    return FundusCrop(
        pixels=pixels, mask=mask, lit=lit, box=box, fov=fov, detail=detail, detail_diameter_px=detail_diameter_px
    )


def _detail(image: Image.Image, fov: FieldOfView) -> "tuple[NDArray[np.uint8], float]":
    """Two bands of green, (2, h, w), and the diameter of the field of view at their scale."""
    scale = max(1, math.ceil(fov.diameter_px / MAX_DETAIL_DIAMETER_PX))
    diameter_px = fov.diameter_px / scale
    width, height = (int(min(limit, fraction * diameter_px)) for limit, fraction in DETAIL_SIZE)
    left = round(fov.x_px - width * scale / 2)
    bands = []
    for side in (-1, 1):
        top = round(fov.y_px + side * DETAIL_DISTANCE * fov.radius_px - height * scale / 2)
        band = image.crop((left, top, left + width * scale, top + height * scale)).getchannel("G")
        bands.append(np.asarray(band if scale == 1 else band.reduce(scale)))
    return np.stack(bands), diameter_px


@lru_cache(maxsize=8)
def _inside_circle(side_px: int) -> "tuple[NDArray[np.bool_], NDArray[np.uint8]]":
    """The circle as (S, S) bool, and as (S, S, 3) bytes that are 255 inside and 0 outside."""
    axis = np.arange(side_px, dtype=np.float32) - (side_px - 1) / 2
    # 1.5 % are cut away: the bright or coloured rim there differs from camera to camera and holds no lesions
    inside = axis[:, None] ** 2 + axis[None, :] ** 2 <= (side_px / 2 * 0.985) ** 2
    return inside, inside[..., None].repeat(3, axis=2) * np.uint8(255)


def _is_brighter(pixels: "NDArray[np.uint8]", level: int) -> "NDArray[np.bool_]":
    """(S, S) bool: whether a channel of (S, S, 3) pixels is above ``level``."""
    above = (pixels > level).ravel()
    any_above = above[:-2] | above[1:-1]  # of each channel and the next, in one pass over adjacent bytes
    any_above |= above[2:]
    return any_above[::3].copy().reshape(pixels.shape[:2])


def _clear_bars(pixels: "NDArray[np.uint8]", mask: "NDArray[np.bool_]", lit: "NDArray[np.bool_]") -> None:
    """Set rows and columns that belong to a black bar inside the image to 0, in all three arrays."""
    is_bar = [_counts(lit, axis) <= MIN_LIT_FRACTION * _counts(mask, axis) for axis in (1, 0)]
    for array in (pixels, mask, lit):
        array[is_bar[0]] = 0
        array[:, is_bar[1]] = 0


def _counts(mask: "NDArray[np.bool_]", axis: int) -> "NDArray[np.uint16]":
    counts: NDArray[np.uint16] = mask.view(np.uint8).sum(axis=axis, dtype=np.uint16)
    return counts


def standardize_colors(crop: FundusCrop) -> "NDArray[np.uint8]":
    """Shift and scale each channel to a common mean and standard deviation: (S, S, 3) uint8.

    Cameras and clinics differ in these six numbers before they differ in anything that a grade depends on.
    """
    pixels = np.array(crop.image.point(_standard_levels(crop).ravel().tolist()))  # (S, S, 3)
    pixels[~crop.mask] = 0
    return pixels


def _standard_levels(crop: FundusCrop) -> "NDArray[np.uint8]":
    """(3, 256): the standardised level of each level of a channel; 0 if nothing is lit."""
    counts = np.asarray(crop.image.histogram(Image.fromarray(crop.lit)), np.float64).reshape(3, 256)
    n = counts.sum(axis=1, keepdims=True)
    if not n.all():
        return np.zeros((3, 256), np.uint8)
    levels = np.arange(256.0)
    mean = (counts @ levels)[:, None] / n  # (3, 1)
    std = np.sqrt((counts @ levels**2)[:, None] / n - mean**2)  # (3, 1)
    table = (levels - mean) * COLOR_STD / np.maximum(std, MIN_STD) + COLOR_MEAN  # (3, 256)
    standard: NDArray[np.uint8] = np.clip(table, 0, 255).astype(np.uint8)
    return standard


def network_input(
    crop: FundusCrop, *, mean: tuple[float, float, float], std: tuple[float, float, float]
) -> "NDArray[np.float32]":
    """Network input (3, S, S) float32: standardised colours, normalised by mean and std.

    One table for both steps: the array is written once.
    """
    levels = np.arange(256, dtype=np.float32) / 255.0
    planes = crop.pixels.transpose(2, 0, 1)
    values = np.empty(planes.shape, np.float32)
    for plane, out, standard, m, s in zip(planes, values, _standard_levels(crop), mean, std, strict=True):
        normalised = (levels - np.float32(m)) / np.float32(s)
        table = normalised[standard]
        black, table[0] = table[0], normalised[0]  # outside, pixels are 0 and stay 0
        np.take(table, plane, out=out, mode="clip")
        if black != table[0]:
            out[(plane == 0) & crop.mask] = black
    return values
