"""Fit the model of retinal colours: photographs against copies of them in false colours.

Half of the people (by a hash) are fitted on, the other half measured.
"""

import csv
import hashlib
import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from tqdm import tqdm

from ml.data.labels import group_of
from ml.metrics.markdown import table
from ml.serving.preprocess import crop_fundus
from ml.serving.quality.cells import Cells, cells_of
from ml.serving.quality.colors import FEATURES, FILE, MAX_FEATURE, ColorModel, color_features
from ml.serving.quality.features import MIN_CELLS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SOURCES = (
    "aptos2019", "diaretdb1", "drimdb", "eyepacs", "eyepacs_equalized", "eyeq", "heimed", "idrid", "messidor2",
    "odir5k", "srahim",
)  # fmt: skip
POOR = frozenset({"reject", "bad", "outlier"})
#: Photographs of one source at most, and false copies of each.
MAX_PHOTOS, N_COPIES = 250, 8
PHOTO_WEIGHT, REGULARIZATION = 4.0, 0.3
#: Chosen so that no source loses more than 3 % of its good photographs; the histogram-equalised set may lose more.
MIN_P, SURELY_FALSE_P = 0.3, 0.1
SIDE_PX = 160
_LUMA = np.array([0.299, 0.587, 0.114])
_ORDERS = list(itertools.permutations(range(3)))[1:]


@dataclass
class Examples:
    """Features of photographs and of their false copies, with source and kind, and which half fits."""

    features: "list[Floats]" = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    is_fitted_on: list[bool] = field(default_factory=list)

    def add(self, features: "Floats | None", kind: str, source: str, group: str) -> None:
        if features is not None:
            self.features.append(features)
            self.kinds.append(kind)
            self.sources.append(source)
            self.is_fitted_on.append(hashlib.sha256(group.encode()).digest()[0] % 2 == 0)


def false_copies(cells: "Floats", rng: np.random.Generator) -> "Iterator[tuple[str, Floats]]":
    """Copies (80, 80, 3) of a retina in colours that no camera makes, with their kind."""
    green, black, negative = cells[..., 1], np.zeros_like(cells[..., 1]), 255 - cells
    for order in _ORDERS:
        yield "order " + "".join("RGB"[channel] for channel in order), cells[..., order]
    yield "negative", negative
    yield "negative, other order", negative[..., _ORDERS[rng.integers(len(_ORDERS))]]
    yield "red-free, grey", np.stack([green] * 3, axis=-1)
    yield "red-free, green", np.stack([black, green, black], axis=-1)
    yield "grey", np.stack([cells @ _LUMA] * 3, axis=-1)
    for name, low in (("autofluorescence, green", (0, 1, 0)), ("autofluorescence, blue", (0, 0.1, 1))):
        yield name, green[..., None] * rng.uniform(low, (0.9, 1, 0.9) if low[1] == 1 else (0.8, 0.95, 1))
    yield "autofluorescence, grey", green[..., None] * rng.uniform((0.85, 0.9, 0.85), 1)
    angiogram = np.clip(230 - 1.1 * green, 0, 255)
    yield "angiography, grey", np.stack([angiogram] * 3, axis=-1)
    yield "angiography, green", angiogram[..., None] * np.array([rng.uniform(0, 0.4), 1, rng.uniform(0, 0.4)])
    yield "luma and chroma as RGB", _to_ycc(cells)
    yield "RGB as luma and chroma", _from_ycc(cells)
    yield "red alone", np.stack([cells[..., 0], black, black], axis=-1)
    yield "blue alone", np.stack([black, black, cells[..., 2]], axis=-1)


def _to_ycc(cells: "Floats") -> "Floats":
    """Luma and chroma of JPEG (ITU T.871)."""
    luma = cells @ _LUMA
    ycc: Floats = np.stack([luma, 128 + 0.564 * (cells[..., 2] - luma), 128 + 0.713 * (cells[..., 0] - luma)], axis=-1)
    return ycc


def _from_ycc(cells: "Floats") -> "Floats":
    luma, blue, red = cells[..., 0], cells[..., 1] - 128, cells[..., 2] - 128
    rgb: Floats = np.stack([luma + 1.402 * red, luma - 0.344 * blue - 0.714 * red, luma + 1.772 * blue], axis=-1)
    return rgb


def good_photos(folder: Path) -> list[tuple[Path, str]]:
    """Photographs of a data set that are not of poor quality, with their patient; graded or not."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row.get("quality", "") not in POOR]
    return [(folder / row["file"], group_of(folder.name, row.get("patient", ""), row["file"])) for row in rows]


def read_examples(data: Path) -> Examples:
    """Features of the good photographs of all sources, and of N_COPIES false copies of each."""
    rng, examples = np.random.default_rng(3), Examples()
    for source in SOURCES:
        photos = good_photos(data / source)
        for path, group in tqdm(photos[:: -(-len(photos) // MAX_PHOTOS)], desc=source, mininterval=5):
            crop = crop_fundus(path, side_px=SIDE_PX)
            cells = None if crop is None else cells_of(crop)
            if cells is None or cells.lit.sum() < MIN_CELLS:
                continue
            examples.add(color_features(cells), "photograph", source, group)
            copies = list(false_copies(cells.planes.transpose(1, 2, 0).astype(np.float64), rng))
            for index in rng.choice(len(copies), N_COPIES, replace=False):
                kind, copy = copies[index]
                planes = np.clip(np.rint(copy), 0, 255).astype(np.float32).transpose(2, 0, 1)
                examples.add(color_features(Cells(planes, cells.lit)), kind, source, group)
    return examples


def fit_colors(examples: Examples) -> ColorModel:
    """Fit the quadratic logistic model on its half of the people."""
    half = np.array(examples.is_fitted_on)
    features = np.clip(np.array(examples.features), -MAX_FEATURE, MAX_FEATURE)
    is_photo = np.array(examples.kinds) == "photograph"
    scaler = StandardScaler().fit(features[half])
    terms = PolynomialFeatures(2, include_bias=False)
    regression = LogisticRegression(C=REGULARIZATION, max_iter=600)
    weights = np.where(is_photo, PHOTO_WEIGHT, 1.0)
    regression.fit(terms.fit_transform(scaler.transform(features[half])), is_photo[half], sample_weight=weights[half])
    n = len(FEATURES)
    quadratic = np.zeros((n, n))
    quadratic[np.triu_indices(n)] = regression.coef_[0][n:]  # the order of PolynomialFeatures
    linear, intercept = regression.coef_[0][:n], float(regression.intercept_[0])
    return ColorModel(scaler.mean_, scaler.scale_, linear, quadratic, intercept, MIN_P, SURELY_FALSE_P)


def report(model: ColorModel, examples: Examples) -> str:
    """Tables of the other half: good photographs refused by source, false copies not recognised by kind."""
    half = ~np.array(examples.is_fitted_on)
    is_false = model.probability(np.array(examples.features)) < model.min_p
    refused, missed = defaultdict(list), defaultdict(list)
    for index in np.flatnonzero(half):
        if examples.kinds[index] == "photograph":
            refused[examples.sources[index]].append(is_false[index])
        elif examples.sources[index] != "eyepacs_equalized":  # whose colours are arbitrary
            missed[examples.kinds[index]].append(not is_false[index])
    tables = [
        table([[title, "photographs", "fraction"], *([name, str(len(v)), f"{np.mean(v):.3f}"] for name, v in found)])
        for title, found in (("good, refused", refused.items()), ("false colours, not recognised", missed.items()))
    ]
    return "\n".join(tables)


def store_colors(model: ColorModel, file: Path = FILE) -> None:
    """Write the model as JSON."""
    content = {
        "features": FEATURES,
        **{name: np.round(getattr(model, name), 6).tolist() for name in ("mean", "scale", "linear", "quadratic")},
        **{name: round(getattr(model, name), 6) for name in ("intercept", "min_p", "surely_false_p")},
    }
    file.write_text(json.dumps(content, indent=1) + "\n")
