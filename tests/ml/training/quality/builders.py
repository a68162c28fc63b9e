"""Toy data set of the quality gate."""

import numpy as np

from ml.serving.quality.gate import released_gate
from ml.training.quality.dataset import FEATURES, SHARPNESS, QualitySet


def toy_set(n: int = 96) -> QualitySet:
    """Rejects are smooth, all others full of detail; three photographs of each patient.

    The features are those of gradable photographs, with less vessel contrast in rejects; a third of the graded
    photographs are blurred copies, with less sharpness.
    """
    rng = np.random.default_rng(0)
    labels = np.array(["good", "usable", "reject"] * (n // 3))
    detail = rng.integers(30, 200, (n, 192, 192, 3), np.uint8)
    detail[labels == "reject"] = rng.integers(100, 131, (n // 3, 1, 1, 1))
    model = released_gate().coefficients.gradable
    terms = dict(zip(model.names, zip(model.mean, model.scale, strict=True), strict=True))
    features = np.array([rng.normal(*terms.get(name, (0.1, 0.01)), n) for name in FEATURES]).T
    features[labels == "reject", FEATURES.index("vessel_contrast")] -= 3 * terms["vessel_contrast"][1]
    return QualitySet(
        pixels=detail,
        features=features,
        sharpness=rng.normal(0, 1, (n, len(SHARPNESS))),
        sigmas=np.zeros(n),
        diameters_px=np.full(n, 180.0),
        sources=np.array(["eyeq"] * n),
        labels=labels,
        patients=np.array([str(i // 3) for i in range(n)]),
        splits=(np.arange(n) // 3 % 3).astype(np.int8),
    )


def with_blurred_copies(photos: QualitySet) -> QualitySet:
    """The set, and a copy of each good photograph that is less sharp, and one that is not gradable."""
    good = photos.subset(np.flatnonzero(photos.labels == "good"))
    copies = []
    for sigma, label in ((0.003, "soft"), (0.02, "blurred")):
        arrays = good.arrays() | {"sharpness": good.sharpness - 4, "sigmas": np.full(len(good.labels), sigma)}
        copies.append(QualitySet(**arrays | {"labels": np.full(len(good.labels), label)}))
    return photos.joined(copies[0]).joined(copies[1])
