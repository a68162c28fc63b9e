"""Fit and check the two small models of ml/quality.py on real photographs, and print the tables that stand there.

    DR_DATA_DIR=../shared/data python -m ml.data.quality_calibration [--not-retina FOLDER ...]

Gradable: EyeQ's and EyePACS's good and usable photographs, and those of APTOS and ODIR (experts graded them all),
against EyeQ's and EyePACS's rejects and copies of good photographs put out of focus. (EyeQ's rejects are all smoothed
by one JPEG encoder; a model of them alone takes a sensor's grain for detail.) Retina: all but these, against drawn
pictures and everyday photographs: those that scikit-learn brings, and any FOLDER. Half of the people and half of the
pictures are fitted; the report at the end is of the tables in ml/quality.py on the other half.
"""

import argparse
import csv
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import sklearn.datasets
from PIL import Image, ImageFilter
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from ml.errors import GradingError
from ml.serving.field_of_view import detect_fov
from ml.serving.preprocess import Photo, crop_fundus, decode
from ml.serving.quality.features import QualityFeatures, extract_features
from ml.serving.quality.gate import GRADABLE, GRADABLE_INTERCEPT, RETINA, Quality, Term, assess_quality, evaluate
from ml.training.quality import negatives as not_retina

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SOURCES = ("eyeq", "eyepacs", "aptos2019", "odir5k")
SIDE_PX = 224
POOR = ("reject", "defocused")
SQUARE_LIMIT = 4.0
WEIGHTS = {"graded": 0.25, "defocused": 0.25}
"""Of photographs that no reader judged for quality, beside those of EyeQ."""
DEFOCUS_SHARES = (0.012, 0.04)
"""Standard deviation of the defocus as a share of the disc's diameter: from 1.2 % only the great vessels remain."""
GRAIN_LEVELS = 5.0
N_DRAWN = 16


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured picture. ``verdict``: good, usable, reject, graded, defocused or not_retina."""

    source: str
    verdict: str
    is_held_out: bool
    measures: QualityFeatures | None
    quality: Quality


def samples_of(folder: Path) -> Iterator[Sample]:
    """Measure all photographs of a data set; people are halved by a hash of their number, across EyeQ and EyePACS."""
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rng = np.random.default_rng(8)
    for row in tqdm(rows, desc=folder.name, unit="photo"):
        person, verdict = row.get("patient") or row["file"], row.get("quality") or "graded"
        yield _sample(folder.name, verdict, person, folder / row["file"])
        if verdict == "good" or (verdict == "graded" and rng.random() < 0.15):
            yield _sample(folder.name, "defocused", person, defocused(folder / row["file"], rng))


def defocused(path: Path, rng: np.random.Generator) -> Image.Image:
    """A copy out of focus by a random share of the disc, half of them with a sensor's grain on top."""
    photo = decode(path, min_side_px=SIDE_PX)
    disc = detect_fov(photo)
    blur_px = rng.uniform(*DEFOCUS_SHARES) * (disc.diameter_px if disc else min(photo.size))
    soft = np.asarray(photo.filter(ImageFilter.GaussianBlur(blur_px)), np.float64)
    grain = rng.choice((0, 1)) * rng.uniform(0, GRAIN_LEVELS)
    return Image.fromarray(np.clip(soft + rng.normal(0, grain, soft.shape), 0, 255).astype(np.uint8))


def samples_of_others(folders: list[Path]) -> Iterator[Sample]:
    """Measure drawn pictures and everyday photographs, halved by picture."""
    rng = np.random.default_rng(4)
    for number in range(N_DRAWN):
        for name, picture in not_retina.drawn(rng):
            yield _sample("drawn", "not_retina", f"{name} {number}", picture)
    folders = [*folders, Path(str(sklearn.datasets.__path__[0])) / "images"]
    for name, picture in tqdm(not_retina.photographed(folders, rng), desc="everyday photographs", unit="picture"):
        yield _sample("photographed", "not_retina", name.split(" cut ")[0], picture)


def _sample(source: str, verdict: str, key: str, photo: Photo) -> Sample:
    try:
        retina = crop_fundus(photo, side_px=SIDE_PX)
    except GradingError as error:
        raise SystemExit(f"{source}, {key}: {error}") from error
    is_held_out = hashlib.sha256(key.encode()).digest()[0] % 2 == 1
    return Sample(source, verdict, is_held_out, extract_features(retina) if retina else None, assess_quality(retina))


def fit(
    terms: tuple[Term, ...], samples: list[Sample], is_positive: Callable[[Sample], bool]
) -> tuple[float, tuple[Term, ...]]:
    """Logistic regression on standardised measures and, where a term has one, their squares."""
    measures = [s.measures for s in samples if s.measures is not None]
    kept = [s for s in samples if s.measures is not None]
    raw = np.array([[getattr(m, t.measure) for t in terms] for m in measures])  # (n, t)
    wanted = np.array([is_positive(s) for s in kept])
    centre, spread = raw[wanted].mean(axis=0), raw[wanted].std(axis=0)
    z = np.clip((raw - centre) / spread, -SQUARE_LIMIT, SQUARE_LIMIT)
    squares = [i for i, t in enumerate(terms) if t.square]
    weight = np.array([WEIGHTS.get(s.verdict, 1.0) for s in kept])
    model = LogisticRegression(C=0.3, max_iter=1000).fit(
        np.hstack([z, z[:, squares] ** 2]), wanted, sample_weight=weight
    )
    slopes = model.coef_[0]
    square = dict(zip(squares, slopes[len(terms) :], strict=True))
    fitted = tuple(
        Term(t.measure, round(float(c), 3), round(float(s), 3), round(float(w), 3), round(float(square.get(i, 0.0)), 3))
        for i, (t, c, s, w) in enumerate(zip(terms, centre, spread, slopes, strict=False))
    )
    return round(float(model.intercept_[0]), 3), fitted


def report(samples: list[Sample]) -> None:
    """Print acceptance by source and verdict on the held-out half, and the area under the curve."""
    held_out = [s for s in samples if s.is_held_out]
    for source, verdict in sorted({(s.source, s.verdict) for s in held_out}):
        chosen = [s.quality for s in held_out if (s.source, s.verdict) == (source, verdict)]
        why = [r for q in chosen for r in q.reasons]
        reasons = " ".join(f"{r.value}:{why.count(r)}" for r in sorted(set(why)))
        accepted = np.mean([q.is_gradable for q in chosen])
        print(f"{source:12} {verdict:10} n={len(chosen):5} accepted {accepted:6.1%}   {reasons}")  # noqa: T201
    judged = [s for s in held_out if s.source == "eyeq" and s.verdict != "defocused" and s.measures is not None]
    truth = [s.verdict != "reject" for s in judged]
    scores = [evaluate(GRADABLE, GRADABLE_INTERCEPT, s.measures) for s in judged if s.measures is not None]
    print(f"EyeQ good and usable against reject: AUC {roc_auc_score(truth, scores):.3f}")  # noqa: T201


def main() -> None:
    """Measure, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--not-retina", type=Path, nargs="*", default=[], help="folders of everyday photographs")
    options = parser.parse_args()
    data = Path(os.environ.get("DR_DATA_DIR", "../shared/data"))
    samples = [s for source in SOURCES for s in samples_of(data / source)]
    samples += samples_of_others(options.not_retina)
    fitted = [s for s in samples if not s.is_held_out]
    photographs = [s for s in fitted if s.verdict != "not_retina"]
    gradable = fit(GRADABLE, photographs, lambda s: s.verdict not in POOR)
    retina = fit(RETINA, [s for s in fitted if s.verdict not in POOR], lambda s: s.verdict != "not_retina")
    for name, (intercept, terms) in (("GRADABLE", gradable), ("RETINA", retina)):
        print(f"{name}_INTERCEPT = {intercept}\n{name} = (")  # noqa: T201
        for term in terms:
            print(f"    Term{astuple(term)},".replace("'", '"'))  # noqa: T201
        print(")")  # noqa: T201
    print_limits([s for s in fitted if s.verdict in {"good", "graded"}])
    report(samples)


def print_limits(samples: list[Sample]) -> None:
    """Print the percentiles 0, 0.3, 1, 3, 50, 97, 99, 99.7 and 100 of each measure, for the table of faults."""
    for field in fields(QualityFeatures):
        values = [getattr(s.measures, field.name) for s in samples if s.measures is not None]
        marks = np.percentile(values, [0, 0.3, 1, 3, 50, 97, 99, 99.7, 100])
        print(f"{field.name:16}", " ".join(f"{m:8.3f}" for m in marks))  # noqa: T201


if __name__ == "__main__":
    main()
