"""Detect the field of view: the bright circle that a fundus camera leaves on a dark frame.

The circle may be off-centre, cut by the frame on any side, or fill the frame; the border may be noisy.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ml.serving.order_statistics import median, percentile
from ml.serving.regions import full_scale, label_regions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Circle = tuple[float, float, float]  # x, y, radius

#: Longer side of the reduced image in which the circle is fitted: one pixel is under 1 % of the field of view.
WORK_SIDE_PX = 160
#: A lit region below this fraction of the frame is not a fundus photograph (the smallest of 12,800 fills 0.2).
MIN_AREA_FRACTION = 0.08
#: Radius over the longer side of the lit region: a circle through all four corners of a square has 0.71. Larger ones
#: come from photographs that were stretched to another aspect ratio.
MAX_RADIUS_FRACTION = 0.72
#: Fraction of the lit region outside a fitted circle from which that circle is wrong. Of 3,000 photographs of one
#: retina the largest is 0.21; ellipses and several retinas have 0.3 to 0.7.
MAX_OUTSIDE = 0.3
N_RANSAC_ITERATIONS = 160
N_RIM_POINTS = 200
INLIER_PX = 1.3


@dataclass(frozen=True, slots=True)
class FieldOfView:
    """A circle in pixels of the image it was detected in; it may reach outside the frame.

    Pixels with no channel above ``dark_level`` (0..255) belong to the frame.
    """

    x_px: float
    y_px: float
    radius_px: float
    dark_level: int

    @property
    def diameter_px(self) -> float:
        return 2 * self.radius_px

    def scaled(self, factor: float) -> "FieldOfView":
        return FieldOfView(self.x_px * factor, self.y_px * factor, self.radius_px * factor, self.dark_level)


@dataclass(frozen=True, slots=True)
class Survey:
    """A reduced copy of a photograph, and what was found in it.

    ``small`` (h, w, 3) uint8 RGB, ``level`` (h, w) its brightest channel; ``labels`` (h/2, w/2) the regions brighter
    than the frame; ``region`` (h, w) bool the largest of them; ``circle`` was fitted to it, in pixels of the copy.
    ``is_fitted`` is False for the circle of the bounding box, which encloses what is not round.
    """

    small: "NDArray[np.uint8]"
    level: "NDArray[np.uint8]"
    labels: "NDArray[np.int64]"
    region: "NDArray[np.bool_]"
    circle: "Circle"
    is_fitted: bool
    fov: FieldOfView


def reduced(image: Image.Image) -> "NDArray[np.uint8]":
    """A copy (h, w, 3) whose longer side is at most WORK_SIDE_PX."""
    factor = min(1.0, WORK_SIDE_PX / max(image.size))
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def detect_fov(image: Image.Image) -> FieldOfView | None:
    """Detect the field of view in an upright RGB image; None if there is none."""
    survey = survey_fov(image, reduced(image))
    return None if survey is None else survey.fov


def survey_fov(image: Image.Image, small: "NDArray[np.uint8]") -> Survey | None:
    """Detect the field of view of an upright RGB image in its reduced copy; None if there is none."""
    red, green, blue = small.transpose(2, 0, 1)
    level = np.maximum(np.maximum(red, green), blue)  # (h, w)
    dark_level = _dark_level(level)
    if dark_level is None:
        return None
    lit = level > dark_level
    labels = label_regions(lit)
    if not labels.any():
        return None
    region = lit & full_scale(labels == np.bincount(labels[labels > 0]).argmax(), lit.shape)
    if region.mean() < MIN_AREA_FRACTION:
        return None
    circle, is_fitted = _fit_circle(region)
    x, y, radius = circle
    height, width = level.shape
    fov = FieldOfView(
        (x + 0.5) * image.width / width, (y + 0.5) * image.height / height, radius * image.width / width, dark_level
    )
    return Survey(small, level, labels, region, circle, is_fitted, fov)


def _dark_level(level: "NDArray[np.uint8]") -> int | None:
    """Grey level that separates frame from retina; None for an image without contrast."""
    bright = float(percentile(level[::2, ::2], 95))
    corner = max(2, min(level.shape) // 20)
    corners = [level[:corner, :corner], level[:corner, -corner:], level[-corner:, :corner], level[-corner:, -corner:]]
    # noisy black, or retina if the field of view fills the frame
    darkest = min(corners, key=median)
    dark = float(median(darkest))
    if bright - dark < 12:
        return 0 if bright >= 12 else None
    if dark > 0.35 * bright:  # no frame is visible
        return 0
    noise = min(float(percentile(darkest, 98)) - dark, 0.25 * bright)
    return int(dark + noise + max(6.0, 0.1 * (bright - dark)))


def _rim(lit: "NDArray[np.bool_]") -> "Floats":
    """Rim points (n, 2) x, y of the region, away from the image border: first and last pixel of each row and column."""
    height, width = lit.shape
    points = []
    for mask, order in ((lit, 1), (lit.T, -1)):
        lines = np.flatnonzero(mask.any(axis=1))
        first, last = mask[lines].argmax(axis=1), mask.shape[1] - 1 - mask[lines, ::-1].argmax(axis=1)
        points += [np.stack([ends, lines][::order], 1) for ends in (first - 0.5, last + 0.5)]
    x, y = np.concatenate(points).T
    is_inside = (x > 1) & (x < width - 2) & (y > 1) & (y < height - 2)
    inner: Floats = np.concatenate(points)[is_inside]
    return inner


def _fit_circle(lit: "NDArray[np.bool_]") -> "tuple[Circle, bool]":
    """Fit a circle; that of the bounding box, and False, if none fits or the fitted one leaves too much outside."""
    rim = _rim(lit)
    if len(rim) >= 12 and (fitted := _ransac_circle(rim, lit)) and _outside_fraction(fitted, lit) < MAX_OUTSIDE:
        return fitted, True
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    x, y = (columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2
    radius = max(columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1) / 2
    return (float(x), float(y), float(radius)), False


def _outside_fraction(circle: "Circle", lit: "NDArray[np.bool_]") -> float:
    """Fraction of the region that lies outside a circle 3 % larger."""
    sampled = lit[::2, ::2]
    y, x = np.ogrid[: lit.shape[0] : 2, : lit.shape[1] : 2]
    is_outside = (x - circle[0]) ** 2 + (y - circle[1]) ** 2 > (1.03 * circle[2]) ** 2
    return float((sampled & is_outside).sum() / max(1, sampled.sum()))


def _ransac_circle(rim: "Floats", lit: "NDArray[np.bool_]") -> "Circle | None":
    """RANSAC over circles through three rim points, with a fixed seed; None if no circle fits."""
    rim = rim[:: max(1, len(rim) // N_RIM_POINTS)]
    triples = np.random.default_rng(0).integers(0, len(rim), (N_RANSAC_ITERATIONS, 3))
    circles = _circles_through(rim[triples])  # (t, 3)
    height, width = lit.shape
    extent = max(np.ptp(np.flatnonzero(lit.any(axis=0))), np.ptp(np.flatnonzero(lit.any(axis=1)))) + 1
    x, y, radius = circles.T
    is_plausible = np.isfinite(circles).all(1) & (radius > 0.3 * extent) & (radius < MAX_RADIUS_FRACTION * extent)
    is_plausible &= (x > 0.1 * width) & (x < 0.9 * width) & (y > 0) & (y < height)
    circles = circles[is_plausible]
    if not len(circles):
        return None
    inliers = (np.abs(_distance(circles, *rim.T)) < INLIER_PX).mean(axis=1)  # (t,)
    n_lit = max(1, int(lit[::5, ::5].sum()))
    possible = np.flatnonzero(inliers > inliers.max() - 6 / n_lit)  # no other one has the best score
    circles, inliers = circles[possible], inliers[possible]
    outside, unlit = (misfits / n_lit for misfits in _misfits(circles, lit))
    best = int((inliers - 4 * outside - unlit).argmax())
    if inliers[best] < 0.3 or outside[best] > 0.06 or unlit[best] > 0.5:
        return None
    near = np.abs(_distance(circles[best : best + 1], *rim.T))[0] < 2 * INLIER_PX
    return _least_squares_circle(rim[near])


def _misfits(circles: "Floats", lit: "NDArray[np.bool_]") -> "tuple[NDArray[np.bool_], NDArray[np.bool_]]":
    """Whether lit pixels lie outside each of t circles, and whether unlit ones lie inside: (t,), (t,).

    NB: not how many. A count would be a better score, but would crop some photographs otherwise.
    """
    sampled = lit[::5, ::5]
    grid_y, grid_x = (5.0 * g for g in np.indices(sampled.shape))
    distance = _distance(circles, grid_x.ravel(), grid_y.ravel())  # (t, m)
    is_outside = np.any((distance > INLIER_PX) & sampled.ravel(), axis=1)
    is_inside = np.any((distance < -INLIER_PX) & ~sampled.ravel(), axis=1)
    return np.asarray(is_outside), np.asarray(is_inside)


def _distance(circles: "Floats", x: "Floats", y: "Floats") -> "Floats":
    """Signed distance (t, n) of n points to t circles, in pixels; negative inside."""
    distance: Floats = np.sqrt((x - circles[:, :1]) ** 2 + (y - circles[:, 1:2]) ** 2) - circles[:, 2:]
    return distance


def _circles_through(triples: "Floats") -> "Floats":
    """Circumcircles of (t, 3, 2) points: (t, 3) x, y, radius; not finite on a line."""
    (ax, ay), (bx, by), (cx, cy) = (triples[:, i].T for i in range(3))
    with np.errstate(divide="ignore", invalid="ignore"):
        d = 2 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by))
        a2, b2, c2 = ax**2 + ay**2, bx**2 + by**2, cx**2 + cy**2
        x = (a2 * (by - cy) + b2 * (cy - ay) + c2 * (ay - by)) / d
        y = (a2 * (cx - bx) + b2 * (ax - cx) + c2 * (bx - ax)) / d
        return np.stack([x, y, np.hypot(ax - x, ay - y)], axis=1)


def _least_squares_circle(points: "Floats") -> "Circle":
    """Algebraic circle fit (Kasa 1976)."""
    x, y = points.T
    solution, *_ = np.linalg.lstsq(np.stack([x, y, np.ones_like(x)], 1), x**2 + y**2, rcond=None)
    a, b = solution[0] / 2, solution[1] / 2
    return float(a), float(b), float(np.sqrt(solution[2] + a**2 + b**2))
