"""Synthetic predictions of known grades, without photographs."""

from pathlib import Path

import numpy as np

from ml.bundle import read_bundle
from ml.evaluation.predictions import EvaluationPhoto, LabelledPredictions

SOURCES = ("aptos2019", "eyepacs", "odir5k")
N_UNGRADABLE = 6
"""Of each split and source."""


def toy_predictions(skill: float, *, n: int = 240, seed: int = 0) -> LabelledPredictions:
    """``n`` photographs per split and source, two of each patient; ``skill`` 0 is guessing, 3 very good."""
    rng = np.random.default_rng(99)  # the same photographs for every model
    photos = [
        EvaluationPhoto(
            *(Path(f"{source}/{split}-{i}.jpg"), source, split, f"{source}-{split}-{i // 2}"),
            grade=int(rng.choice(5, p=[0.4, 0.15, 0.25, 0.1, 0.1])),
            eye=("left", "right")[i % 2],
            age=("under 50", "")[i % 3 == 0],
            has_oedema=None if source == "odir5k" else i % 4 == 0,
        )
        for source in SOURCES
        for split in ("test", "validation")
        for i in range(n)
    ]
    truth = np.array([p.grade for p in photos])
    noise = np.random.default_rng(seed).normal(0, 1, (len(photos), 5))
    logits = noise - 0.6 * skill * (np.arange(5) - truth[:, None]) ** 2
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return LabelledPredictions(
        bundle=read_bundle(),
        photos=photos,
        fields_of_view=["whole"] * len(photos),
        probabilities=probabilities,
        grades=probabilities.argmax(axis=1),
        quality_levels=np.where(np.arange(len(photos)) % n >= N_UNGRADABLE, "good", "ungradable"),
        p_oedema=1 / (1 + np.exp(-4 * skill * (np.arange(len(photos)) % 4 == 0) + 2 * skill - 2 * noise[:, 0])),
    )
