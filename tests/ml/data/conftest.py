"""Fixtures of the tests of ``ml.data``."""

import csv
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.ml.data.builders import N_PATIENTS, spotted


@pytest.fixture(scope="session")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in EyePACS's layout, two eyes of each patient, with one of every fault. Read only."""
    root = tmp_path_factory.mktemp("data")
    photos = root / "clinic" / "train"
    photos.mkdir(parents=True)
    rows = [(f"{n}_{eye}", n % 5) for n in range(N_PATIENTS) for eye in ("left", "right")]
    for i, (name, _) in enumerate(rows):
        spotted(i).save(photos / f"{name}.png")
    shutil.copy(photos / "3_left.png", photos / "11_right.png")  # the same file of another patient, grade 3 and 1
    Image.open(photos / "4_left.png").resize((200, 200)).save(photos / "9_left.jpeg", quality=90)
    (photos / "9_left.png").unlink()  # 9_left is now a smaller duplicate of 4_left, both of grade 4
    (photos / "20_left.png").write_bytes(b"damaged")
    (photos / "21_left.png").unlink()
    Image.new("RGB", (96, 96)).save(photos / "22_left.png")
    with (root / "clinic" / "trainLabels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "level"), *rows])
    return root / "clinic"
