"""Toy data set of the quality gate."""

import numpy as np

from ml.training.quality.dataset import FEATURES, QualitySet


def toy_set(n: int = 96) -> QualitySet:
    """Rejects are smooth, all others full of detail; three photographs of each patient."""
    rng = np.random.default_rng(0)
    labels = np.array(["good", "usable", "reject"] * (n // 3))
    detail = rng.integers(30, 200, (n, 192, 192, 3), np.uint8)
    detail[labels == "reject"] = rng.integers(100, 131, (n // 3, 1, 1, 1))
    return QualitySet(
        pixels=detail,
        features=np.full((n, len(FEATURES)), np.nan),
        diameters_px=np.full(n, 180.0),
        sources=np.array(["eyeq"] * n),
        labels=labels,
        patients=np.array([str(i // 3) for i in range(n)]),
        splits=(np.arange(n) // 3 % 3).astype(np.int8),
    )
