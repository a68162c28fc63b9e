"""Light or coloured surroundings of a retina, laid over with the black that cameras leave."""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ml.serving.regions import dilated, label_regions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Pixels = NDArray[np.uint8]

#: Darker corners are the frame of a camera.
MIN_LEVEL = 40
#: Grey levels between the four corners, and between the surroundings and their colour.
MAX_CORNER_DISTANCE, MAX_DISTANCE = 16, 24
#: Grey levels up to which a pixel beside the surroundings is a mixture with them.
MAX_MIXED_DISTANCE = 90
#: Of the rim of the image, that the surroundings must cover, and of the image, that they must leave.
MIN_RIM_FRACTION, MIN_LEFT_FRACTION, MAX_LEFT_FRACTION = 0.5, 0.05, 0.97


def light_surroundings(small: "Pixels") -> "Bools | None":
    """Mask (h, w) of surroundings in one light colour that reach the rim of a reduced image; None if there are none."""
    color = _corner_color(small)
    if color is None:
        return None
    is_like = np.abs(small.astype(np.int16) - color).max(axis=2) <= MAX_DISTANCE
    rim = np.concatenate([is_like[0], is_like[-1], is_like[:, 0], is_like[:, -1]])
    if rim.mean() < MIN_RIM_FRACTION:
        return None
    labels = label_regions(is_like)
    at_rim = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    mask: Bools = np.isin(labels, at_rim[at_rim > 0]).repeat(2, axis=0).repeat(2, axis=1)
    mask = mask[: small.shape[0], : small.shape[1]]
    return mask if MIN_LEFT_FRACTION < 1 - mask.mean() < MAX_LEFT_FRACTION else None


def blackened(image: Image.Image, small: "Pixels", mask: "Bools") -> Image.Image:
    """An RGB image whose surroundings, ``mask`` on its reduced copy ``small``, are black."""
    color = np.median(small[mask], axis=0).astype(np.int16)
    pixels = np.array(image)
    near = Image.fromarray(dilated(mask, n_px=2)).resize(image.size, Image.Resampling.NEAREST)
    is_mixed = np.abs(pixels.astype(np.int16) - color).max(axis=2) <= MAX_MIXED_DISTANCE
    inner = Image.fromarray(mask).resize(image.size, Image.Resampling.NEAREST)
    pixels[np.asarray(inner) | (np.asarray(near) & is_mixed)] = 0
    return Image.fromarray(pixels)


def _corner_color(small: "Pixels") -> "NDArray[np.int16] | None":
    """Colour (3,) that all four corners share; None if they differ or are dark."""
    size = max(2, min(small.shape[:2]) // 20)
    if max(int(small[y, x].max()) for y in (0, -1) for x in (0, -1)) < MIN_LEVEL:
        return None  # the usual case, in a microsecond
    corners = [small[:size, :size], small[:size, -size:], small[-size:, :size], small[-size:, -size:]]
    medians = np.array([np.median(corner.reshape(-1, 3), axis=0) for corner in corners])  # (4, 3)
    color: NDArray[np.int16] = np.median(medians, axis=0).astype(np.int16)
    if np.abs(medians - color).max() > MAX_CORNER_DISTANCE or color.max() < MIN_LEVEL:
        return None
    return color
