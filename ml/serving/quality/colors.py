"""Colours that no retina has: channels in another order, negatives, red-free, autofluorescence, angiography.

A quadratic logistic model of colour features says how likely the colours are those of a retina. It sees the mean
colours, and how the contrast of vessels divides among the channels: blood is darkest in green and nearly vanishes in
red. ``ml.training.quality.false_colors`` fits it.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ml.errors import BundleError
from ml.serving.quality.cells import Cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

FILE = Path(__file__).with_name("colors.json")
FEATURES = (
    "log_red_green", "log_green_blue", "red_contrast", "blue_contrast", "red_green_correlation",
    "green_blue_correlation", "red_blue_correlation", "red_slope", "blue_slope", "red_skewness", "green_skewness",
    "blue_skewness", "green_contrast", "saturation", "red_spread", "green_spread", "blue_spread", "level",
)  # fmt: skip
#: Features are clipped to this, so that no single one decides alone.
MAX_FEATURE = 6.0
#: Fewer cells with lit neighbours give no features.
MIN_CELLS = 50


@dataclass(frozen=True, slots=True)
class ColorModel:
    """Logistic model z'Qz + w'z + b of standardised features z = (x - mean) / scale.

    ``min_p`` is the probability below which colours are false, ``surely_false_p`` that below which no other reason of
    refusal is plausible.
    """

    mean: "NDArray[np.float64]"
    scale: "NDArray[np.float64]"
    linear: "NDArray[np.float64]"
    quadratic: "NDArray[np.float64]"
    intercept: float
    min_p: float
    surely_false_p: float

    @classmethod
    def load(cls, file: Path = FILE) -> Self:
        """Read a stored model. Raises BundleError if the file is missing or of another kind."""
        try:
            content: dict[str, Any] = json.loads(file.read_text())
            if tuple(content["features"]) != FEATURES:
                raise BundleError(f"{file} has other features. Restore it from the release.")
            arrays = {name: np.array(content[name], np.float64) for name in ("mean", "scale", "linear", "quadratic")}
            numbers = {name: float(content[name]) for name in ("intercept", "min_p", "surely_false_p")}
            return cls(**arrays, **numbers)  # type: ignore[arg-type]
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise BundleError(f"The colour model cannot be read: {error}. Restore {file} from the release.") from None

    def probability(self, features: "NDArray[np.floating]") -> "NDArray[np.float64]":
        """Probability in [0, 1] that the colours are those of a retina: (..., 18) -> (...)."""
        z = (np.clip(features, -MAX_FEATURE, MAX_FEATURE) - self.mean) / self.scale
        logits = ((z @ self.quadratic) * z).sum(axis=-1) + z @ self.linear + self.intercept
        p: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
        return p


@lru_cache(maxsize=1)
def released_model() -> ColorModel:
    """The model of this package, loaded once. Raises BundleError as ``load`` does."""
    return ColorModel.load()


def p_retinal_colors(cells: Cells) -> float:
    """Probability that the colours of cells are those of a retina; 1 if too few are lit."""
    features = color_features(cells)
    return 1.0 if features is None else float(released_model().probability(features))


def color_features(cells: Cells) -> "NDArray[np.float64] | None":
    """Features (18,) of the lit cells; None for too few."""
    logs, lit = cells.logs, cells.lit
    half = (logs[:, ::2, ::2] + logs[:, 1::2, ::2] + logs[:, ::2, 1::2] + logs[:, 1::2, 1::2]) / np.float32(4)
    whole = lit[::2, ::2] & lit[1::2, ::2] & lit[::2, 1::2] & lit[1::2, 1::2]
    inside = whole[1:-1, 1:-1] & whole[1:-1, 2:] & whole[1:-1, :-2] & whole[2:, 1:-1] & whole[:-2, 1:-1]
    if inside.sum() < MIN_CELLS:
        return None
    sides = half[:, 1:-1, 2:] + half[:, 1:-1, :-2] + half[:, 2:, 1:-1] + half[:, :-2, 1:-1]
    differences = sides - np.float32(4) * half[:, 1:-1, 1:-1]
    laplacian = np.stack([each[inside] for each in differences])  # (3, n)
    laplacian -= _means(laplacian)[:, None]
    std = _stds(laplacian) + np.float32(1e-3)
    by_cell = np.ascontiguousarray(laplacian.T)
    covariance = by_cell.T @ by_cell / np.float32(len(by_cell))
    correlation = covariance / np.outer(std, std)
    lit_logs = np.stack([each[lit] for each in logs])
    mean = _means(lit_logs)
    values = [
        mean[0] - mean[1],
        mean[1] - mean[2],
        np.log(std[0] / std[1]),
        np.log(std[2] / std[1]),
        correlation[0, 1],
        correlation[1, 2],
        correlation[0, 2],
        covariance[0, 1] / std[1] ** 2,
        covariance[1, 2] / std[1] ** 2,
        *(_means(laplacian * laplacian * laplacian) / std**3),
        np.log(std[1]),
        np.log(cells.colorfulness + 2),
        *_stds(lit_logs),
        cells.brightness / 255,
    ]
    return np.array(values, np.float64)


def _means(values: "Floats") -> "Floats":
    """(3, n) -> (3,), added one after another: ``mean`` adds in another order, so that the last digits differ."""
    return np.asarray(values.cumsum(axis=1)[:, -1] / np.float32(values.shape[1]), np.float32)


def _stds(values: "Floats") -> "Floats":
    deviations = values - _means(values)[:, None]
    stds: Floats = np.sqrt(_means(deviations * deviations))
    return stds
