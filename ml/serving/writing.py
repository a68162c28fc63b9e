"""Writing beside the retina: names, numbers and dates that a camera or a viewer wrote into the pixels."""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ml.serving.field_of_view import Survey
from ml.serving.regions import dilated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]

#: Radius, over that of the field of view, up to which a spot may be the rim or its glow, and up to which pixels stay
#: if the rest is blanked.
RIM_RADIUS, KEPT_RADIUS = 1.04, 1.01
#: Radius up to which a bright spot that touches the retina is a notch.
NOTCH_RADIUS = 1.12
#: Pixels of the reduced copy that are written on; fewer are noise.
MIN_PIXELS = 4
#: Grey levels above the frame.
MIN_STEP = 6
#: Pixels of the reduced copy around a region that is not round.
MARGIN_PX = 4


def has_writing(
    survey: Survey, *, surroundings: "Bools | None" = None, original: "NDArray[np.uint8] | None" = None
) -> bool:
    """Whether something is written or marked outside the retina.

    ``surroundings`` and ``original`` are the mask and the reduced copy of a picture with light surroundings.
    """
    region = survey.region
    if surroundings is not None and original is not None:
        color = np.median(original[surroundings], axis=0)
        is_marked = np.abs(original - color).max(axis=2) > 4 * MIN_STEP
    else:
        is_marked = survey.level > survey.fov.dark_level + MIN_STEP
    rows, columns = np.nonzero(is_marked & ~region)
    x, y, radius = survey.circle
    # few pixels are left after this, so that photographs without writing cost no more
    squared = (columns - x) ** 2 + (rows - y) ** 2
    is_far = squared > (RIM_RADIUS * radius) ** 2
    if not survey.is_fitted or not _is_within(region, survey.circle):
        is_far = ~_inner_mask(survey, region.shape, RIM_RADIUS)[rows, columns]
        attached = region & ~_circle_mask(survey, region.shape, NOTCH_RADIUS)
        if survey.is_fitted and int(attached.sum()) >= MIN_PIXELS:
            return True
    if int(is_far.sum()) < MIN_PIXELS:
        return False
    near = dilated(region, n_px=2 if surroundings is None else MARGIN_PX)
    return int((is_far & ~near[rows, columns]).sum()) >= MIN_PIXELS


def _is_within(region: "Bools", circle: tuple[float, float, float]) -> bool:
    """Whether the box of a region reaches no farther than a notch does, and its sides are those of the circle."""
    rows, columns = (np.flatnonzero(region.any(axis=axis)) for axis in (1, 0))
    x, y, radius = circle
    ends = (x - columns[0], columns[-1] - x, y - rows[0], rows[-1] - y)
    return all(0.97 * radius < end < NOTCH_RADIUS * radius for end in ends)


def _inner_mask(survey: Survey, shape: tuple[int, ...], factor: float) -> "Bools":
    """Mask of the retina, its radius times ``factor``, at the scale of ``shape`` (h, w) pixels."""
    rows, columns = (np.flatnonzero(survey.region.any(axis=axis)) for axis in (1, 0))
    scale_y, scale_x = shape[0] / survey.region.shape[0], shape[1] / survey.region.shape[1]
    y, x = np.ogrid[: shape[0], : shape[1]]
    box = (y >= (rows[0] - 2) * scale_y) & (y < (rows[-1] + 3) * scale_y)
    box = box & (x >= (columns[0] - 2) * scale_x) & (x < (columns[-1] + 3) * scale_x)
    if survey.is_fitted:
        circle: Bools = box & _circle_mask(survey, shape, factor)
        return circle
    near = Image.fromarray(dilated(survey.region, n_px=MARGIN_PX))
    mask: Bools = np.asarray(near.resize((shape[1], shape[0]), Image.Resampling.NEAREST)) & box
    return mask


def _circle_mask(survey: Survey, shape: tuple[int, ...], factor: float) -> "Bools":
    x, y, radius = survey.circle
    scale = shape[1] / survey.region.shape[1]
    at_y, at_x = np.ogrid[: shape[0], : shape[1]]
    circle: Bools = (at_x + 0.5 - (x + 0.5) * scale) ** 2 + (at_y + 0.5 - (y + 0.5) * scale) ** 2 <= (
        factor * radius * scale
    ) ** 2
    return circle


def without_writing(image: Image.Image, survey: Survey) -> Image.Image:
    """An upright RGB image with all outside the retina in black."""
    pixels = np.array(image)
    pixels[~_inner_mask(survey, pixels.shape[:2], KEPT_RADIUS)] = 0
    return Image.fromarray(pixels)
