"""Small synthetic photographs and data sets for the tests of ``ml.data``."""

import csv
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

N_PATIENTS = 30


def spotted(seed: int) -> Image.Image:
    """A field of view of 220 px with random dark spots."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:240, :240]
    pixels = np.zeros((240, 240, 3))
    fov = (x - 120) ** 2 + (y - 120) ** 2 < 110**2
    pixels[fov] = rng.normal((170, 90, 50), 4, (int(fov.sum()), 3))
    for _ in range(30):
        cx, cy = rng.integers(45, 195, 2)
        pixels[(x - cx) ** 2 + (y - cy) ** 2 < 90] = (40, 10, 8)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def write_clinic(root: Path) -> Path:
    """A folder in EyePACS's layout, two eyes of each patient, with one of every fault."""
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
