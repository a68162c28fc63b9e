"""Hand-crafted image-quality features of a fundus photograph.

All are computed on 80 x 80 cells of the field of view, for any side of the crop: the great vessels are then one to two
cells wide, and the features do not depend on the camera's pixel count.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ml.serving.order_statistics import percentile
from ml.serving.preprocess import FundusCrop
from ml.serving.quality.cells import GRID, Cells, cells_of
from ml.serving.quality.macula import hidden_fraction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Bools = NDArray[np.bool_]

GLARE_LEVEL = 230
SHADOW_LEVEL = 64
#: Fewer lit cells than this (of about 5,000 in a complete field of view) give no features.
MIN_CELLS = 200
_EPS = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFeatures:
    """Features of one crop; grey levels are 0..255, contrasts are natural logarithms."""

    #: Median of the brightest channel.
    brightness: float
    #: Fraction of cells whose brightest channel is under 64.
    shadow_fraction: float
    #: 10th percentile of green.
    green_p10: float
    #: Fraction of cells whose green is over 230.
    glare_fraction: float
    #: Median distance between the largest and the smallest channel, in grey levels.
    colorfulness: float
    #: Mean log of red over green: 0 is grey, above 0 for a retina.
    redness: float
    #: Standard deviation of log(red / green) on a 20 x 20 grid: stray light and shadows raise it.
    hue_std: float
    #: Log contrast of green between neighbouring cells of a 20 x 20 grid.
    coarse_contrast: float
    #: Log contrast of green between neighbouring cells of the 80 x 80 grid.
    fine_contrast: float
    #: Log of saddle-like over blob-like curvature. Vessels and grain keep it near -0.3; it rises if defocus and a
    #: smoothing codec leave only blocks.
    curvature_ratio: float
    #: Log strength of the strongest 3 % of dark lines, two cells wide.
    vessel_contrast: float
    #: Regression slope of line depth in red on that in green: about 0.5 for blood, 1 for ink and shadow.
    red_green_slope: float
    #: Log kurtosis of fine contrast: high if it is concentrated in few vessels, low for an even texture.
    fine_kurtosis: float
    #: Log of dark over bright line strength.
    dark_bright_ratio: float
    #: Lit fraction of the field of view.
    visible_fraction: float
    #: Largest fraction of a square near the centre, 0.3 radii wide, that is under glare or in shadow.
    macula_hidden: float


def extract_features(crop: FundusCrop, cells: Cells | None = None) -> QualityFeatures | None:
    """Extract the features of a crop, or of its cells if the caller has them; None if too little of it is lit."""
    cells = cells or cells_of(crop)
    lit, logs = cells.lit, cells.logs
    if lit.sum() < MIN_CELLS:
        return None
    green = cells.planes[1][lit]  # (n,)
    fine, half, half_lit = _pooled(logs, lit)
    _, quarter, quarter_lit = _pooled(half, half_lit)
    coarse, *_ = _pooled(quarter, quarter_lit)
    mean, half_difference = _curvature(logs[1], lit)
    green_mean, green_half_difference = _curvature(half[1], half_lit)
    red_mean, _ = _curvature(half[0], half_lit)
    dark = _line_strength(green_mean, green_half_difference)
    bright = _line_strength(-green_mean, green_half_difference)
    coarse_hue = quarter[0] - quarter[1]
    coarse_hue = coarse_hue[quarter_lit] if quarter_lit.any() else coarse_hue.ravel()
    return QualityFeatures(
        brightness=float(cells.brightness),
        shadow_fraction=float((cells.largest < SHADOW_LEVEL).mean()),
        green_p10=float(percentile(green, 10)),
        glare_fraction=float((green > GLARE_LEVEL).mean()),
        colorfulness=float(cells.colorfulness),
        redness=float((logs[0] - logs[1])[lit].mean()),
        hue_std=float(coarse_hue.std()),
        coarse_contrast=_log_rms(coarse),
        fine_contrast=_log_rms(fine),
        curvature_ratio=float(np.log((half_difference.mean() + _EPS) / (np.abs(mean).mean() + _EPS))),
        vessel_contrast=float(np.log(percentile(dark, 97) + _EPS)),
        red_green_slope=float((red_mean * green_mean).sum() / ((green_mean**2).sum() + _EPS**2)),
        fine_kurtosis=float(np.log((fine**2).mean() / (fine.mean() ** 2 + _EPS**3) + _EPS)) if fine.size else 0.0,
        dark_bright_ratio=float(np.log((dark.mean() + _EPS) / (bright.mean() + _EPS))),
        visible_fraction=float(lit.sum() / (np.pi / 4 * GRID**2 * 0.94)),
        macula_hidden=hidden_fraction(cells),
    )


def _pooled(logs: "Floats", lit: "Bools") -> "tuple[Floats, Floats, Bools]":
    """2 x 2 pooling of (3, h, w): green's variance in lit blocks (n,), means (3, h/2, w/2), lit mask."""
    a, b, c, d = logs[:, ::2, ::2], logs[:, ::2, 1::2], logs[:, 1::2, ::2], logs[:, 1::2, 1::2]
    mean = (a + b + c + d) / np.float32(4)
    whole = lit[::2, ::2] & lit[::2, 1::2] & lit[1::2, ::2] & lit[1::2, 1::2]
    squared = [(x[1] - mean[1]) ** 2 for x in (a, b, c, d)]
    variance: Floats = (squared[0] + squared[1] + squared[2] + squared[3]) / np.float32(4)
    return variance[whole], mean, whole


def _log_rms(variance: "Floats") -> float:
    return float(0.5 * np.log(variance.mean() + _EPS**2)) if variance.size else float(np.log(_EPS))


def _curvature(channel: "Floats", lit: "Bools") -> "tuple[Floats, Floats]":
    """Principal curvatures (eigenvalues of the Hessian; Frangi et al., MICCAI 1998) of n cells with lit neighbours.

    Their mean (n,) and half difference (n,).
    """
    centre = channel[1:-1, 1:-1]
    xx = channel[1:-1, 2:] + channel[1:-1, :-2] - 2 * centre
    yy = channel[2:, 1:-1] + channel[:-2, 1:-1] - 2 * centre
    xy = (channel[2:, 2:] + channel[:-2, :-2] - channel[2:, :-2] - channel[:-2, 2:]) / np.float32(4)
    inside = lit[1:-1, 1:-1] & lit[2:, 1:-1] & lit[:-2, 1:-1] & lit[1:-1, 2:] & lit[1:-1, :-2]
    if not inside.any():
        return np.zeros(1, np.float32), np.zeros(1, np.float32)
    xx, yy, xy = xx[inside], yy[inside], xy[inside]
    return (xx + yy) * np.float32(0.5), np.hypot((xx - yy) * np.float32(0.5), xy)


def _line_strength(mean: "Floats", half_difference: "Floats") -> "Floats":
    """Strength of dark lines from curvatures; of bright lines from those of the inverted channel."""
    strength: Floats = np.maximum(mean + half_difference - np.abs(mean - half_difference), np.float32(0))
    return strength
