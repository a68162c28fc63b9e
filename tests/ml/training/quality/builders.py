"""Toy data set of the quality gate."""

import numpy as np

from ml.serving.quality.gate import released_gate
from ml.training.quality.dataset import FEATURES, QualitySet


def toy_set(n: int = 96) -> QualitySet:
    """Rejects are smooth, all others full of detail; three photographs of each patient.

    The features are those of gradable photographs, with less vessel contrast in rejects and defocused copies.
    """
    rng = np.random.default_rng(0)
    labels = np.array(["good", "usable", "reject"] * (n // 3))
    detail = rng.integers(30, 200, (n, 192, 192, 3), np.uint8)
    detail[labels == "reject"] = rng.integers(100, 131, (n // 3, 1, 1, 1))
    terms = {term.name: term for term in released_gate().coefficients.fusion.terms}
    features = np.array([rng.normal(terms[name].mean, terms[name].scale / 3, n) for name in FEATURES]).T
    loss = terms["vessel_contrast"].scale * (np.arange(len(FEATURES)) == FEATURES.index("vessel_contrast"))
    features[labels == "reject"] -= 2 * loss
    return QualitySet(
        pixels=detail,
        features=features,
        defocused=features - 2 * loss,
        diameters_px=np.full(n, 180.0),
        sources=np.array(["eyeq"] * n),
        labels=labels,
        patients=np.array([str(i // 3) for i in range(n)]),
        splits=(np.arange(n) // 3 % 3).astype(np.int8),
    )
