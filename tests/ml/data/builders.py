"""Small synthetic photographs for the tests of ``ml.data``."""

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
