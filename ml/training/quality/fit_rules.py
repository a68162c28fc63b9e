"""Fit the logistic models and rules of the quality gate.

Gradable: good and usable photographs of EyeQ and EyePACS, and those of APTOS and ODIR (experts graded them all),
against the rejects of EyeQ and EyePACS and defocused copies of good photographs. (EyeQ's rejects are all smoothed by
one JPEG encoder; a model of them alone takes a sensor's grain for detail.) Fundus: all but these, against synthetic
images and everyday photographs: those of scikit-learn, and any folder of ``--negatives``. Half of the patients and half
of the images are fitted; the report is on the other half.

``--write`` stores the result in network.json. Export the quality network again afterwards: its fusion with the rules
depends on them.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sklearn.datasets
from PIL import Image, ImageFilter
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from ml.data.labels import read_labels
from ml.errors import GradingError
from ml.serving.field_of_view import detect_fov
from ml.serving.preprocess import Photo, crop_fundus, decode
from ml.serving.quality.coefficients import MAX_Z, Coefficients, LogisticModel, QualityRule
from ml.serving.quality.features import QualityFeatures, extract_features
from ml.serving.quality.gate import Quality, QualityGate, decide
from ml.training.quality.dataset import GRADED, QUALITY_SOURCES
from ml.training.quality.export import update_description
from ml.training.quality.negatives import natural_images, synthetic_images
from ml.vocabulary import QualityReason

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE_PX = 224
DEFOCUSED, NEGATIVE = "defocused", "negative"
POOR = ("reject", DEFOCUSED)
#: Sample weights of photographs without a reader's quality label.
WEIGHTS = {GRADED: 0.25, DEFOCUSED: 0.25}
#: Standard deviation of the defocus over the diameter of the field of view: from 1.2 % only the great vessels remain.
DEFOCUS_FRACTIONS = (0.012, 0.04)
MAX_GRAIN_LEVELS = 5.0
DEFOCUS_PROB = 0.15
N_SYNTHETIC = 16


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured image. ``label``: good, usable, reject, graded, defocused or negative (no fundus photograph)."""

    source: str
    label: str
    is_held_out: bool
    features: dict[str, float] | None
    diameter_px: float = 0.0
    p_gradable: float = 0.0

    def quality(self, coefficients: Coefficients) -> Quality:
        """The gate's result with the stored fusion."""
        if self.features is None:
            return Quality(p_gradable=0.0, is_gradable=False, reasons=(QualityReason.NO_RETINA,))
        return decide(self.features, coefficients, diameter_px=self.diameter_px, p_gradable=self.p_gradable)


def photo_samples(folder: Path, gate: QualityGate) -> Iterator[Sample]:
    """Measure all photographs of a data set; patients are halved by a hash of their number."""
    rng = np.random.default_rng(8)
    for photo in tqdm(read_labels(folder), desc=folder.name, unit="photo"):
        patient, label = photo.group.rpartition(":")[2], photo.quality or GRADED
        yield _sample(folder.name, label, patient, photo.path, gate)
        if label == "good" or (label == GRADED and rng.random() < DEFOCUS_PROB):
            yield _sample(folder.name, DEFOCUSED, patient, defocused(photo.path, rng), gate)


def defocused(path: Path, rng: np.random.Generator) -> Image.Image:
    """A copy blurred by a random fraction of the field of view, half of them with grain."""
    photo = decode(path, min_side_px=SIDE_PX)
    fov = detect_fov(photo)
    blur_px = rng.uniform(*DEFOCUS_FRACTIONS) * (fov.diameter_px if fov else min(photo.size))
    blurred = np.asarray(photo.filter(ImageFilter.GaussianBlur(blur_px)), np.float64)
    grain = rng.choice((0, 1)) * rng.uniform(0, MAX_GRAIN_LEVELS)
    return Image.fromarray(np.clip(blurred + rng.normal(0, grain, blurred.shape), 0, 255).astype(np.uint8))


def negative_samples(folders: list[Path], gate: QualityGate) -> Iterator[Sample]:
    """Measure synthetic images and everyday photographs, halved by image."""
    rng = np.random.default_rng(4)
    for number in range(N_SYNTHETIC):
        for name, image in synthetic_images(rng):
            yield _sample("synthetic", NEGATIVE, f"{name} {number}", image, gate)
    folders = [*folders, Path(str(sklearn.datasets.__path__[0])) / "images"]
    for name, image in tqdm(natural_images(folders, rng), desc="everyday photographs", unit="image"):
        yield _sample("natural", NEGATIVE, name.split(" crop ")[0], image, gate)


def _sample(source: str, label: str, key: str, photo: Photo, gate: QualityGate) -> Sample:
    is_held_out = hashlib.sha256(key.encode()).digest()[0] % 2 == 1
    try:
        crop = crop_fundus(photo, side_px=SIDE_PX)
    except GradingError as error:
        raise SystemExit(f"{source}, {key}: {error}") from error
    found = extract_features(crop) if crop else None
    if crop is None or found is None:
        return Sample(source, label, is_held_out, None)
    features = asdict(found)
    return Sample(source, label, is_held_out, features, crop.fov.diameter_px, gate.p_gradable(crop, features))


def fit(model: LogisticModel, samples: list[Sample], is_positive: Callable[[Sample], bool]) -> LogisticModel:
    """Logistic regression on standardised features and, if a term has one, their squares."""
    measured = [(s, s.features) for s in samples if s.features is not None]
    values = np.array([[features[t.name] for t in model.terms] for _, features in measured])  # (n, t)
    truth = np.array([is_positive(s) for s, _ in measured])
    mean, scale = values[truth].mean(axis=0), values[truth].std(axis=0)
    z = np.clip((values - mean) / scale, -MAX_Z, MAX_Z)
    squared = [i for i, term in enumerate(model.terms) if term.quadratic]
    weight = np.array([WEIGHTS.get(s.label, 1.0) for s, _ in measured])
    regression = LogisticRegression(C=0.3, max_iter=1000)
    regression.fit(np.hstack([z, z[:, squared] ** 2]), truth, sample_weight=weight)
    slopes = [round(float(slope), 3) for slope in regression.coef_[0]]
    quadratic = dict(zip(squared, slopes[len(model.terms) :], strict=True))
    terms = tuple(
        replace(
            term, mean=round(float(mean[i]), 3), scale=round(float(scale[i]), 3), weight=slopes[i],
            quadratic=quadratic.get(i, 0.0),
        )
        for i, term in enumerate(model.terms)
    )  # fmt: skip
    return LogisticModel(round(float(regression.intercept_[0]), 3), terms)


def fit_rule(rule: QualityRule, samples: list[Sample]) -> QualityRule:
    """Set typical and poor to the median and worst 3 % of gradable samples; keep the limit."""
    values = [s.features[rule.feature] for s in samples if s.features is not None]
    typical, poor = np.percentile(values, [50, 97 if rule.poor > rule.typical else 3])
    return replace(rule, typical=round(float(typical), 3), poor=round(float(poor), 3))


def fit_rules(samples: list[Sample], stored: Coefficients) -> Coefficients:
    """Fit models and rules to the samples that are not held out; keep limits and fusion."""
    fitted = [s for s in samples if not s.is_held_out]
    photographs = [s for s in fitted if s.label != NEGATIVE]
    good = [s for s in fitted if s.label in {"good", GRADED}]
    return replace(
        stored,
        gradable=fit(stored.gradable, photographs, lambda s: s.label not in POOR),
        fundus=fit(stored.fundus, [s for s in fitted if s.label not in POOR], lambda s: s.label != NEGATIVE),
        rules=tuple(fit_rule(rule, good) for rule in stored.rules),
    )


def report(samples: list[Sample], coefficients: Coefficients) -> Iterator[str]:
    """Report on the held-out half: acceptance, AUC, and percentiles of each feature."""
    held_out = [s for s in samples if s.is_held_out]
    for source, label in sorted({(s.source, s.label) for s in held_out}):
        results = [s.quality(coefficients) for s in held_out if (s.source, s.label) == (source, label)]
        reasons = [reason.value for quality in results for reason in quality.reasons]
        counted = " ".join(f"{reason}:{reasons.count(reason)}" for reason in sorted(set(reasons)))
        accepted = np.mean([quality.is_gradable for quality in results])
        yield f"{source:12} {label:10} n={len(results):5} accepted {accepted:6.1%}   {counted}"
    eyeq = [(s.label != "reject", s.features) for s in held_out if s.source == "eyeq" and s.label != DEFOCUSED]
    scored = [(truth, coefficients.gradable.probability(f)) for truth, f in eyeq if f is not None]
    yield f"EyeQ good and usable against reject: AUC {roc_auc_score(*zip(*scored, strict=True)):.3f}"
    good = [s.features for s in samples if s.features is not None and s.label in {"good", GRADED}]
    yield "percentiles 0, 0.3, 1, 3, 50, 97, 99, 99.7, 100 of good and graded photographs, for the limits"
    for name in (field.name for field in fields(QualityFeatures)):
        marks: NDArray[np.float64] = np.percentile([f[name] for f in good], [0, 0.3, 1, 3, 50, 97, 99, 99.7, 100])
        yield f"{name:16} " + " ".join(f"{mark:8.3f}" for mark in marks)


def fit_gate(data: Path, *, negatives: tuple[Path, ...] = (), write: bool = False) -> str:
    """Measure and fit; the reports of the gate before and after. ``write`` stores the result in network.json.

    ``negatives`` are folders of everyday photographs.
    """
    gate = QualityGate.load()
    samples = [s for source in QUALITY_SOURCES for s in photo_samples(data / source, gate)]
    samples += negative_samples(list(negatives), gate)
    fitted = fit_rules(samples, gate.coefficients)
    if write:
        stored: dict[str, Any] = asdict(fitted)
        update_description(coefficients=stored)
    return "\n\n".join("\n".join(report(samples, coefficients)) for coefficients in (gate.coefficients, fitted))
