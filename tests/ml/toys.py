"""Small synthetic data sets, networks and configurations for tests of training."""

import csv
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ml.data.cache import FundusDataset
from ml.data.splits import TRAIN, VALIDATION
from ml.networks.architectures import build
from ml.training.checkpoints import TrainedNetwork
from ml.training.config import TrainingConfig

N_PHOTOS = 60
SOURCES = ("aptos2019", "eyepacs")
FIELDS = ("file", "grade", "patient", "quality", "dme")


def write_toy_data(root: Path) -> Path:
    """Thirty photographs of each source, with four dark spots per grade; eyeq has no grades."""
    rng = np.random.default_rng(0)
    for source in (*SOURCES, "eyeq"):
        (root / source / "images").mkdir(parents=True)
        rows = []
        for i in range(N_PHOTOS // 2):
            name = f"images/{source}-{i}.png"
            Image.fromarray(spotted_retina(i % 5, rng)).save(root / source / name)
            labels = {"grade": i % 5, "patient": i, "quality": "reject" if i % 10 == 9 else "good"}
            rows.append({"file": name, **labels, "dme": int(i % 5 > 2) if source == "eyepacs" else ""})
        fields = [f for f in FIELDS if source != "eyeq" or f != "grade"]
        with (root / source / "labels.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, fields, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
    return root


def spotted_retina(grade: int, rng: np.random.Generator) -> np.ndarray:
    """(96, 96, 3) uint8: a disc with four dark spots per grade."""
    y, x = np.mgrid[:96, :96]
    photo = np.zeros((96, 96, 3))
    retina = (x - 48) ** 2 + (y - 48) ** 2 < 44**2
    photo[retina] = rng.normal((170, 90, 50), 12, (int(retina.sum()), 3))
    for _ in range(4 * grade):
        cx, cy = rng.integers(22, 74, 2)
        photo[(x - cx) ** 2 + (y - cy) ** 2 < 14] = (40, 10, 8)
    return np.clip(photo, 0, 255).astype(np.uint8)


def toy_dataset(n: int = N_PHOTOS) -> FundusDataset:
    """The same photographs without files: every sixth for validation, the others for training."""
    rng = np.random.default_rng(1)
    grades = np.arange(n) % 5
    return FundusDataset(
        pixels=np.stack([spotted_retina(int(g), rng) for g in grades])[:, 16:80, 16:80],
        grades=grades,
        oedema=np.where(grades == 0, 0, np.where(grades == 4, 1, -1)),
        sources=np.asarray([SOURCES[i % 2] for i in range(n)]),
        groups=np.asarray([str(i) for i in range(n)]),
        splits=np.asarray([VALIDATION if i % 6 == 5 else TRAIN for i in range(n)], np.int8),
    )


def toy_config(**changes: object) -> TrainingConfig:
    """Two epochs of four steps of a tiny network."""
    values = {
        "architecture": "tiny",
        "sources": SOURCES,
        "image_size": 48,
        "cache_size": 64,
        "epochs": 2,
        "batch_size": 12,
        "threads": 1,
        "learning_rate": 3e-3,
    }
    return TrainingConfig(**values | changes)  # type: ignore[arg-type]  # values of any field


def random_teacher(image_size: int = 64) -> TrainedNetwork:
    """A teacher with random weights and confident predictions."""
    torch.manual_seed(5)
    network = build("tiny")
    with torch.no_grad():
        network.get_submodule("classifier.3").weight.mul_(20)  # type: ignore[operator]  # a Linear layer
    return TrainedNetwork(network, "tiny", image_size)
