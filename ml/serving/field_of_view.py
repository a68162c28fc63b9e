"""Detect the field of view: the bright circle that a fundus camera leaves on a dark frame.

The circle may be off-centre, cut by the frame on any side, or fill the frame; the border may be noisy.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

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


def detect_fov(image: Image.Image) -> FieldOfView | None:
    """Detect the field of view in an upright RGB image; None if there is none."""
    factor = min(1.0, WORK_SIDE_PX / max(image.size))
    small = image.resize(
        (max(1, round(image.width * factor)), max(1, round(image.height * factor))),
        Image.Resampling.BILINEAR,
        reducing_gap=2.0,
    )
    red, green, blue = np.asarray(small).transpose(2, 0, 1)
    level = np.maximum(np.maximum(red, green), blue)  # (h, w)
    dark_level = _dark_level(level)
    if dark_level is None:
        return None
    lit = _largest_region(level > dark_level)
    if lit.mean() < MIN_AREA_FRACTION:
        return None
    x, y, radius = _fit_circle(lit)
    return FieldOfView(
        (x + 0.5) * image.width / small.width,
        (y + 0.5) * image.height / small.height,
        radius * image.width / small.width,
        dark_level,
    )


def _dark_level(level: "NDArray[np.uint8]") -> int | None:
    """Grey level that separates frame from retina; None for an image without contrast."""
    bright = float(np.percentile(level[::2, ::2], 95))
    corner = max(2, min(level.shape) // 20)
    corners = [level[:corner, :corner], level[:corner, -corner:], level[-corner:, :corner], level[-corner:, -corner:]]
    # noisy black, or retina if the field of view fills the frame
    darkest = min(corners, key=lambda c: float(np.median(c)))
    dark = float(np.median(darkest))
    if bright - dark < 12:
        return 0 if bright >= 12 else None
    if dark > 0.35 * bright:  # no frame is visible
        return 0
    noise = min(float(np.percentile(darkest, 98)) - dark, 0.25 * bright)
    return int(dark + noise + max(6.0, 0.1 * (bright - dark)))


def _largest_region(lit: "NDArray[np.bool_]") -> "NDArray[np.bool_]":
    """Largest 4-connected component of a mask, at half scale.

    Labels are propagated from all four sides until none changes; serving has no ``scipy.ndimage.label``.
    """
    coarse = lit[::2, ::2]
    if not coarse.any():
        return lit
    labels, before = np.where(coarse, np.arange(1, coarse.size + 1).reshape(coarse.shape), 0), None
    while before is None or not np.array_equal(labels, before):
        before = labels
        for _ in range(4):
            labels = np.rot90(_propagated(labels))
    largest = labels == np.bincount(labels[coarse]).argmax()
    region: NDArray[np.bool_] = lit & largest.repeat(2, axis=0).repeat(2, axis=1)[: lit.shape[0], : lit.shape[1]]
    return region


def _propagated(labels: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """Running maximum of the labels inside each run of lit pixels, from left to right."""
    base = np.cumsum(labels == 0, axis=1) * (labels.size + 1)  # a multiple for each run: it grows at every gap
    return np.where(labels > 0, np.maximum.accumulate(base + labels, axis=1) - base, 0)


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


def _fit_circle(lit: "NDArray[np.bool_]") -> "Circle":
    """Fit a circle; that of the bounding box if none fits."""
    rim = _rim(lit)
    if len(rim) >= 12 and (fitted := _ransac_circle(rim, lit)):
        return fitted
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    x, y = (columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2
    radius = max(columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1) / 2
    return float(x), float(y), float(radius)


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
    sampled = lit[::5, ::5]
    grid_y, grid_x = (5.0 * g for g in np.indices(sampled.shape))
    distance = _distance(circles, grid_x.ravel(), grid_y.ravel())  # (t, m)
    outside = (distance > INLIER_PX) @ sampled.ravel() / max(1, sampled.sum())  # lit, but not in the circle
    unlit = (distance < -INLIER_PX) @ ~sampled.ravel() / max(1, sampled.sum())  # in the circle, but not lit
    inliers = np.abs(_distance(circles, *rim.T)) < INLIER_PX  # (t, n)
    best = int((inliers.mean(axis=1) - 4 * outside - unlit).argmax())
    if inliers[best].mean() < 0.3 or outside[best] > 0.06 or unlit[best] > 0.5:
        return None
    near = np.abs(_distance(circles[best : best + 1], *rim.T))[0] < 2 * INLIER_PX
    return _least_squares_circle(rim[near])


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
