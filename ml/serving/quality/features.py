"""Plain numbers that tell a good retinal photograph from a poor one and from anything else. No learned network.

Everything is measured on a picture of 80 x 80 cells of the retina's disc, whatever the network's side is: the great
vessels are then one to two cells wide, and the verdict does not depend on the camera's pixel count.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ml.serving.preprocess import FundusCrop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Bools = NDArray[np.bool_]

GRID = 80
LOG_OFFSET = 12.0
"""Grey levels added before the logarithm, so that noise in near-black cells does not pass for contrast."""
GLARE_LEVEL = 230
SHADOW_LEVEL = 64
MIN_CELLS = 200
"""Fewer lit cells than this (of about 5,000 in a whole disc) are nothing to measure."""
_EPS = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFeatures:
    """What is measured on one retina; grey levels are 0..255, contrasts are natural logarithms."""

    brightness: float
    """Median of the brightest channel."""
    shadow: float
    """Share of the field whose brightest channel is under 64."""
    dimmest: float
    """Green level that a tenth of the field stays under."""
    glare: float
    """Share of the field whose green is over 230."""
    colourfulness: float
    """Median distance between the largest and the smallest channel, in grey levels."""
    redness: float
    """Mean log of red over green: 0 is grey, above 0 for a retina."""
    patchiness: float
    """Spread of log(red / green) over the field at a twentieth of the disc: stray light and shadows raise it."""
    coarse: float
    """Log of the contrast of green between neighbouring twentieths of the disc."""
    fine: float
    """Log of the contrast of green between neighbouring eightieths of the disc."""
    lines: float
    """Log of saddle-like over blob-like curvature between eightieths. Vessels and grain hold it near -0.3; it rises
    where defocus and a smoothing codec leave nothing but blocks."""
    vessels: float
    """Log of the strength of the strongest 3 % of dark lines, two eightieths wide."""
    blood: float
    """How much of a dark line's depth in green is seen in red: about 0.5 for blood, 1 for ink and shadow."""
    clumping: float
    """Log kurtosis of fine contrast: high where it sits in few vessels, low for an even texture."""
    dark_over_bright: float
    """Log of dark lines over bright lines."""
    field: float
    """Share of the disc that the photograph shows and that is lit."""


def extract_features(retina: FundusCrop) -> QualityFeatures | None:
    """Measures of a retina, or None where too little of it is lit."""
    cells, lit = _cells(retina)
    if lit.sum() < MIN_CELLS:
        return None
    levels = cells[lit]  # (n, 3)
    largest, green = levels.max(axis=1), levels[:, 1]
    logs = np.log(cells + np.float32(LOG_OFFSET))  # (80, 80, 3)
    fine, half, half_lit = _halved(logs, lit)
    _, quarter, quarter_lit = _halved(half, half_lit)
    coarse, *_ = _halved(quarter, quarter_lit)
    lines = _lines(logs[..., 1], lit)
    wide = _lines(half[..., 1], half_lit)
    hue = logs[..., 0] - logs[..., 1]
    coarse_hue = quarter[quarter_lit] if quarter_lit.any() else quarter.reshape(-1, 3)
    return QualityFeatures(
        brightness=float(np.median(largest)),
        shadow=float((largest < SHADOW_LEVEL).mean()),
        dimmest=float(np.percentile(green, 10)),
        glare=float((green > GLARE_LEVEL).mean()),
        colourfulness=float(np.median(largest - levels.min(axis=1))),
        redness=float(hue[lit].mean()),
        patchiness=float((coarse_hue[:, 0] - coarse_hue[:, 1]).std()),
        coarse=_log_rms(coarse),
        fine=_log_rms(fine),
        lines=float(np.log((lines.across.mean() + _EPS) / (np.abs(lines.mean).mean() + _EPS))),
        vessels=float(np.log(np.percentile(wide.dark, 97) + _EPS)),
        blood=_slope(_lines(half[..., 0], half_lit).mean, wide.mean),
        clumping=float(np.log((fine**2).mean() / (fine.mean() ** 2 + _EPS**3) + _EPS)) if fine.size else 0.0,
        dark_over_bright=float(np.log((wide.dark.mean() + _EPS) / (wide.bright.mean() + _EPS))),
        field=float(lit.sum() / (np.pi / 4 * GRID**2 * 0.94)),
    )


def _cells(retina: FundusCrop) -> "tuple[Floats, Bools]":
    """(80, 80, 3) mean colours, and (80, 80) True where the whole cell is lit."""
    size = (GRID, GRID)
    cells = np.asarray(Image.fromarray(retina.pixels).resize(size, Image.Resampling.BOX), np.float32)
    share = np.asarray(Image.fromarray(retina.lit.astype(np.uint8) * 255).resize(size, Image.Resampling.BOX))
    return cells, share >= 250


def _halved(logs: "Floats", lit: "Bools") -> "tuple[Floats, Floats, Bools]":
    """Green's variance inside each lit 2 x 2 block (n,), block means (h/2, w/2, 3), and where blocks are all lit."""
    a, b, c, d = logs[::2, ::2], logs[::2, 1::2], logs[1::2, ::2], logs[1::2, 1::2]
    mean = (a + b + c + d) / np.float32(4)
    whole = lit[::2, ::2] & lit[::2, 1::2] & lit[1::2, ::2] & lit[1::2, 1::2]
    green = mean[..., 1]
    variance: Floats = np.mean([(x[..., 1] - green) ** 2 for x in (a, b, c, d)], axis=0, dtype=np.float32)
    return variance[whole], mean, whole


def _log_rms(variance: "Floats") -> float:
    return float(0.5 * np.log(variance.mean() + _EPS**2)) if variance.size else float(np.log(_EPS))


@dataclass(frozen=True, slots=True)
class _Lines:
    """Curvature of a channel at n lit places: mean of both directions, half their difference, line strengths."""

    mean: "Floats"
    across: "Floats"

    @property
    def dark(self) -> "Floats":
        strength: Floats = np.maximum(self.mean + self.across - np.abs(self.mean - self.across), np.float32(0))
        return strength

    @property
    def bright(self) -> "Floats":
        strength: Floats = np.maximum(self.across - self.mean - np.abs(self.mean + self.across), np.float32(0))
        return strength


def _lines(channel: "Floats", lit: "Bools") -> _Lines:
    """Eigenvalues of the Hessian (Frangi et al., MICCAI 1998), where all neighbours are lit."""
    centre = channel[1:-1, 1:-1]
    xx = channel[1:-1, 2:] + channel[1:-1, :-2] - 2 * centre
    yy = channel[2:, 1:-1] + channel[:-2, 1:-1] - 2 * centre
    xy = (channel[2:, 2:] + channel[:-2, :-2] - channel[2:, :-2] - channel[:-2, 2:]) / np.float32(4)
    inside = lit[1:-1, 1:-1] & lit[2:, 1:-1] & lit[:-2, 1:-1] & lit[1:-1, 2:] & lit[1:-1, :-2]
    if not inside.any():
        return _Lines(np.zeros(1, np.float32), np.zeros(1, np.float32))
    xx, yy, xy = xx[inside], yy[inside], xy[inside]
    return _Lines((xx + yy) * np.float32(0.5), np.hypot((xx - yy) * np.float32(0.5), xy))


def _slope(y: "Floats", x: "Floats") -> float:
    return float((x * y).sum() / ((x * x).sum() + _EPS**2))
