"""What else than one round retina a picture shows: two eyes, a montage, another field, a page.

Only the reduced copy in which the field of view was detected is looked at. Limits were measured on 2,500 photographs of
one retina from eleven sources and on 700 composites of them.
"""

from typing import TYPE_CHECKING

import numpy as np

from ml.serving.field_of_view import Survey
from ml.vocabulary import QualityReason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

#: Area of a second region over that of the largest: 0.01 at most beside one retina (flash reflections, notches, text).
MIN_SECOND_AREA = 0.02
#: Shorter side of its box over the larger side of the retina's, and the fraction of the box that it fills.
MIN_SECOND_SIDE, MIN_SECOND_FILL = 0.15, 0.45
#: Depth of the waist between two retinas that touch, over their width: 0.12 at most in one good photograph. A circle
#: around two retinas can be fitted, so that a deep waist counts in any case.
MIN_WAIST, DEEP_WAIST = 0.13, 0.4
#: Both lobes at a waist have at least this fraction of the region.
MIN_LOBE = 0.06
#: Fraction outside the fitted circle below which the region is one round retina, if it has no deep waist.
MIN_OUTSIDE = 0.04
#: The same for a montage: dark lobes of one retina look like its gaps.
MIN_MONTAGE_OUTSIDE = 0.2
#: Longer over shorter side from which a straight edge across the picture is a seam between two photographs.
MIN_SEAM_ASPECT = 1.75
#: Fraction of the rows that have an edge in the same column, above the columns beside it.
MIN_SEAM = 0.45
SEAM_STEP = 12
#: Fraction of the fitted circle that is dark, from which the region may be an ellipse.
MIN_UNLIT = 0.1
#: A montage fills less of its convex hull, and of an ellipse of its moments (intersection over union), than one field.
MIN_SOLIDITY, MIN_ELLIPSE_IOU = 0.974, 0.953
#: Ultra-wide fields are ellipses, and made of red and green laser light alone: green over red, blue over the largest.
MIN_WIDE_IOU, MIN_WIDE_AXES, MIN_WIDE_GREEN, MAX_WIDE_BLUE = 0.96, 1.12, 0.6, 0.08
#: Of its box, that an ellipse fills at most; a field that fills the frame is a rectangle with round corners.
MAX_ELLIPSE_FILL = 0.86
#: Grey levels between the channels of a grey picture; one without a round field is an OCT scan, not a fundus.
MAX_GREY = 10
#: Of the brightest tenth of a region, below which its colours are not judged.
MIN_GREY_LEVEL = 60
#: No field is that much longer than wide, not even a squeezed one.
MAX_ASPECT = 2.4
#: Light and grey: paper or a window of a screen.
MIN_PAGE_LEVEL, MAX_PAGE_COLOR = 190, 24
MIN_PAGE_FRACTION = 0.08
#: Fraction of light surroundings that is written on, from which they are a page.
MIN_INK_FRACTION = 0.015
INK_STEP = 24
#: Intersection over union with an ellipse, below which the edge of a retina in light surroundings was not found.
MIN_BORDERED_IOU = 0.9


def layout_reason(survey: Survey) -> QualityReason | None:
    """Why the picture is not one photograph of one retina of 45 degrees; None if it is."""
    if not survey.is_fitted and _is_grey(survey):
        return QualityReason.OTHER_FIELD
    return _reason_beside(survey) or _reason_of_shape(survey)


def _is_grey(survey: Survey) -> bool:
    """Whether the largest region is grey; a photograph that is nearly black has no colours either way."""
    if np.percentile(survey.level[survey.region], 90) < MIN_GREY_LEVEL:
        return False
    return float(np.median(np.ptp(survey.small[survey.region].astype(np.int16), axis=1))) < MAX_GREY


def _reason_beside(survey: Survey) -> QualityReason | None:
    """TWO_EYES or NOT_A_PHOTOGRAPH for what is beside the largest region."""
    areas = np.bincount(survey.labels[survey.labels > 0])
    largest = areas.max() if len(areas) else 0
    others = [int(label) for label in np.flatnonzero(areas > MIN_SECOND_AREA * largest) if areas[label] < largest]
    kinds = {_kind_of_region(survey, label, int(areas.argmax())) for label in others}
    return next((kind for kind in (QualityReason.TWO_EYES, QualityReason.NOT_A_PHOTOGRAPH) if kind in kinds), None)


def _reason_of_shape(survey: Survey) -> QualityReason | None:
    """TWO_EYES or OTHER_FIELD for the shape of the largest region."""
    box, colors = _box(survey)
    if any(_has_waist(box.sum(axis=axis), DEEP_WAIST) for axis in (0, 1)):
        return QualityReason.TWO_EYES
    outside, unlit = _misfit(survey)
    if survey.is_fitted and outside < MIN_OUTSIDE and unlit < MIN_UNLIT:
        return None
    if _is_wide_field(box, colors):
        return QualityReason.OTHER_FIELD
    if survey.is_fitted and outside < MIN_OUTSIDE:
        return None
    return _shape_reason(box, colors, is_round=survey.is_fitted and outside < MIN_MONTAGE_OUTSIDE)


def _kind_of_region(survey: Survey, label: int, main: int) -> QualityReason | None:
    """TWO_EYES for a region beside the retina that may be another one, NOT_A_PHOTOGRAPH for a part of a page."""
    rows, columns = np.nonzero(survey.labels == label)
    height, width = int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
    colors = survey.small[::2, ::2][rows, columns].astype(np.int16)  # (n, 3)
    is_page = (colors.min(axis=1) >= MIN_PAGE_LEVEL) & (np.ptp(colors, axis=1) <= MAX_PAGE_COLOR)
    if is_page.mean() > 0.5:
        is_large = len(rows) >= MIN_PAGE_FRACTION * survey.labels.size
        return QualityReason.NOT_A_PHOTOGRAPH if is_large else None
    main_rows, main_columns = np.nonzero(survey.labels == main)
    diameter = max(np.ptp(main_rows), np.ptp(main_columns)) + 1
    is_field = min(height, width) >= MIN_SECOND_SIDE * diameter and len(rows) >= MIN_SECOND_FILL * height * width
    return QualityReason.TWO_EYES if is_field else None


def _box(survey: Survey) -> "tuple[Bools, NDArray[np.int16]]":
    """The box of the largest region: its mask (h, w) and colours (h, w, 3)."""
    rows, columns = (np.flatnonzero(survey.region.any(axis=axis)) for axis in (1, 0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return survey.region[window], survey.small[window].astype(np.int16)


def _shape_reason(box: "Bools", colors: "NDArray[np.int16]", *, is_round: bool) -> QualityReason | None:
    """TWO_EYES or OTHER_FIELD for a region that is not one convex field; a round one may have dark lobes."""
    if any(_has_waist(box.sum(axis=axis), MIN_WAIST) for axis in (0, 1)):
        return QualityReason.TWO_EYES
    if box.shape[1] >= MIN_SEAM_ASPECT * box.shape[0] and _has_seam(colors, box):
        return QualityReason.TWO_EYES
    if box.shape[0] >= MIN_SEAM_ASPECT * box.shape[1] and _has_seam(colors.transpose(1, 0, 2), box.T):
        return QualityReason.TWO_EYES
    is_long = max(box.shape) > MAX_ASPECT * min(box.shape)
    is_montage = not is_round and _solidity(box) < MIN_SOLIDITY and _ellipse(box)[0] < MIN_ELLIPSE_IOU
    return QualityReason.OTHER_FIELD if is_long or is_montage else None


def _is_wide_field(box: "Bools", colors: "NDArray[np.int16]") -> bool:
    red, green, blue = np.median(colors[box], axis=0)
    if box.mean() > MAX_ELLIPSE_FILL or green < MIN_WIDE_GREEN * red or blue > MAX_WIDE_BLUE * max(red, green):
        return False
    iou, axes = _ellipse(box)
    return iou > MIN_WIDE_IOU and axes > MIN_WIDE_AXES


def _ellipse(region: "Bools") -> tuple[float, float]:
    """Intersection over union of a region with the ellipse of its moments, and the ratio of its axes."""
    y, x = np.nonzero(region)
    covariance = np.cov(np.stack([x, y]))
    inverse = np.linalg.pinv(covariance)
    at_y, at_x = np.ogrid[: region.shape[0], : region.shape[1]]
    dx, dy = at_x - x.mean(), at_y - y.mean()
    ellipse = inverse[0, 0] * dx**2 + 2 * inverse[0, 1] * dx * dy + inverse[1, 1] * dy**2 <= 4  # of a filled ellipse
    small, large = np.linalg.eigvalsh(covariance)
    return float((ellipse & region).sum() / (ellipse | region).sum()), float(np.sqrt(large / max(small, 1e-9)))


def _misfit(survey: Survey) -> tuple[float, float]:
    """Fraction of the region outside its circle, and fraction of the circle in the picture that is dark."""
    x, y, radius = survey.circle
    at_y, at_x = np.ogrid[: survey.region.shape[0] : 2, : survey.region.shape[1] : 2]
    squared = (at_x - x) ** 2 + (at_y - y) ** 2
    sampled = survey.region[::2, ::2]
    is_inside = squared < (0.97 * radius) ** 2
    outside = (sampled & (squared > (1.03 * radius) ** 2)).sum() / max(1, sampled.sum())
    return float(outside), float((is_inside & ~sampled).sum() / max(1, is_inside.sum()))


def _has_waist(widths: "NDArray[np.int64]", min_depth: float) -> bool:
    """Whether the widths of a region, line by line, have a minimum between two lobes of some size."""
    left, right = np.maximum.accumulate(widths), np.maximum.accumulate(widths[::-1])[::-1]
    depth = np.minimum(left, right) - widths
    at = int(depth.argmax())
    lobes = widths[:at].sum(), widths[at:].sum()
    return bool(depth[at] >= min_depth * widths.max() and min(lobes) >= MIN_LOBE * widths.sum())


def _has_seam(colors: "NDArray[np.int16]", region: "Bools") -> bool:
    """Whether one column in the middle has an edge in most rows, unlike the columns beside it."""
    steps = np.abs(colors[:, 2:] - colors[:, :-2]).max(axis=2) > SEAM_STEP  # (h, w - 2)
    is_inside = region[:, 2:] & region[:, :-2]
    fraction: Floats = (steps & is_inside).sum(axis=0) / max(1, int(region.sum(axis=0).max()))
    middle = fraction[int(0.15 * len(fraction)) : int(0.85 * len(fraction)) + 1]
    if len(middle) < 7:
        return False
    return bool((middle[3:-3] - np.minimum(middle[:-6], middle[6:])).max() > MIN_SEAM)


def _solidity(region: "Bools") -> float:
    """Area of a region over that of its convex hull."""
    lines = np.flatnonzero(region.any(axis=1))
    first = region[lines].argmax(axis=1)
    last = region.shape[1] - region[lines, ::-1].argmax(axis=1)
    points = np.concatenate([np.stack([first, lines], 1), np.stack([last, lines], 1)]).astype(np.float64)
    ends = np.concatenate([points, points + np.array([0.0, 1.0])])
    hull = _convex_hull(sorted(map(tuple, ends.tolist())))
    x, y = np.array(hull).T
    area = abs(float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())) / 2
    return float(region.sum() / max(1.0, area))


def _convex_hull(points: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """Andrew's monotone chain (1979) over sorted points."""
    halves = []
    for ordered in (points, points[::-1]):
        half: list[tuple[float, ...]] = []
        for point in ordered:
            while len(half) >= 2 and _cross_product(half[-2], half[-1], point) <= 0:
                half.pop()
            half.append(point)
        halves.append(half[:-1])
    return halves[0] + halves[1]


def _cross_product(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def border_reason(small: "NDArray[np.uint8]", surroundings: "Bools", survey: Survey) -> QualityReason | None:
    """Why light surroundings do not belong to a photograph; None if the retina in them can be graded.

    ``small`` (h, w, 3) is the picture as it came; ``survey`` that of the picture with black surroundings. A page is
    written on.
    """
    x, y, radius = survey.circle
    at_y, at_x = np.ogrid[: small.shape[0], : small.shape[1]]
    is_outside = (at_x - x) ** 2 + (at_y - y) ** 2 > (1.1 * radius) ** 2
    color = np.median(small[surroundings], axis=0)
    is_ink = np.abs(small - color).max(axis=2) > INK_STEP
    if (is_ink & is_outside).sum() > MIN_INK_FRACTION * is_outside.size:
        return QualityReason.NOT_A_PHOTOGRAPH
    is_whole = survey.is_fitted or _ellipse(_box(survey)[0])[0] > MIN_BORDERED_IOU  # squeezed, or cut
    return None if is_whole else QualityReason.LIGHT_BORDER
