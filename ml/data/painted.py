"""Lesions painted on photographs of healthy retinas: disease as small and as rare as screening meets it, on any camera.

Of the photographs that a screening clinic calls moderate, many show two or three dark dots, and a few hundred labels
are little to learn that from. The same healthy retina with and without painted dots tells it, on a real background.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch

from ml.synthetic.lesions import LesionPainter, Lesions
from ml.vocabulary import ICDRGrade

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Generator, Tensor

PAINTED_GRADES = (0.0, 0.25, 0.5, 0.13, 0.12)
"""Chance of each grade among painted photographs: what screening misses most comes most often."""

BLOOD = ((-55.0, -5.0), (-95.0, -35.0), (-75.0, -25.0))
FAT = ((25.0, 100.0), (35.0, 120.0), (-20.0, 60.0))
COTTON = ((20.0, 70.0), (25.0, 80.0), (20.0, 80.0))
"""Lowest and highest change of R, G, B at full ink, in levels of evened colours: of a haemorrhage, an exudate, a
cotton-wool spot. Vessels on such photographs lie 20 to 90 levels below what surrounds them."""


def draw_grades(n: int, *, random: "Generator") -> "Tensor":
    """[n] grades for photographs that are to be painted."""
    return torch.multinomial(torch.tensor(PAINTED_GRADES), n, replacement=True, generator=random)


def paint(photo: "Tensor", grade: int, *, random: "Generator") -> "Tensor":
    """[3, H, H] uint8, a healthy retina with evened colours -> the same with lesions that earn ``grade``."""
    seed = int(torch.randint(2**31, (1,), generator=random))
    rng = np.random.default_rng(seed)
    pixels = photo.permute(1, 2, 0).numpy().astype(np.float32)  # (H, H, 3)
    disc, fovea, is_left = _landmarks(pixels, rng)
    painter = LesionPainter(seed, pixels.shape[0], disc=disc, fovea=fovea)
    lesions = sparse_lesions(ICDRGrade(grade), rng)
    seen = (pixels.max(axis=2) > 0)[..., None]
    for ink, colours in (
        (painter.microaneurysms(lesions.n_microaneurysms), BLOOD),
        (painter.haemorrhages(lesions.n_haemorrhages), BLOOD),
        (painter.flame_haemorrhages(lesions.n_flame_haemorrhages), BLOOD),
        (painter.exudates(lesions.n_exudate_clusters), FAT),
        (painter.cotton_wool_spots(lesions.n_cotton_wool_spots), COTTON),
        (painter.irma(lesions.n_irma) + painter.new_vessels(lesions.n_new_vessels), BLOOD),
        (painter.preretinal_haemorrhages(lesions.n_preretinal_haemorrhages), BLOOD),
    ):
        strength = rng.uniform(0.6, 1.3)
        change = np.array([rng.uniform(*levels) for levels in colours], np.float32) * strength
        shown = np.clip(ink[:, ::-1] if is_left else ink, 0, 1)  # (H, H); the painter knows right eyes alone
        pixels += shown[..., None] * change
    painted = np.clip(pixels, 1, 255) * seen
    return torch.from_numpy(painted.astype(np.uint8)).permute(2, 0, 1)


def sparse_lesions(grade: ICDRGrade, rng: np.random.Generator) -> Lesions:
    """Lesions that earn this grade (Wilkinson et al., Ophthalmology 2003), as few of them as screening often meets."""

    def some(low: int, high: int, *, chance: float = 1.0) -> int:
        few = rng.random() ** 2  # more often few than many
        return round(low + few * (high - low)) if rng.random() < chance else 0

    match grade:
        case ICDRGrade.NONE:
            return Lesions()
        case ICDRGrade.MILD:
            return Lesions(n_microaneurysms=some(1, 8))
        case ICDRGrade.MODERATE:
            return Lesions(
                n_microaneurysms=some(0, 16),
                n_haemorrhages=some(2, 14),
                n_flame_haemorrhages=some(1, 2, chance=0.2),
                n_exudate_clusters=some(1, 3, chance=0.45),
                n_cotton_wool_spots=some(1, 2, chance=0.2),
            )
        case _:
            is_proliferative = grade is ICDRGrade.PROLIFERATIVE
            least = 2 if is_proliferative else 24
            return Lesions(
                n_microaneurysms=some(least, 46),
                n_haemorrhages=some(least, 60),
                n_flame_haemorrhages=some(1, 8, chance=0.7),
                n_exudate_clusters=some(1, 5, chance=0.6),
                n_cotton_wool_spots=some(1, 5, chance=0.6),
                n_irma=some(1, 3, chance=0.6 if is_proliferative else 1.0),  # in one quadrant it is severe by itself
                n_new_vessels=some(1, 3) if is_proliferative else 0,
                n_preretinal_haemorrhages=some(1, 1, chance=0.3) if is_proliferative else 0,
            )


def _landmarks(
    pixels: "NDArray[np.float32]", rng: np.random.Generator
) -> tuple[tuple[float, float], tuple[float, float], bool]:
    """Optic disc and fovea of a right eye, in radii of the retina, and whether the picture is its mirror image.

    The disc is the brightest large spot where there is one at its usual distance from the middle.
    """
    side = pixels.shape[0]
    step = max(1, side // 32)
    n = side // step
    bright = pixels[: n * step, : n * step, :2].mean(axis=2).reshape(n, step, n, step).mean(axis=(1, 3))  # (n, n)
    y, x = np.mgrid[-1 : 1 : n * 1j, -1 : 1 : n * 1j]
    is_possible = (np.hypot(x, y) < 0.8) & (np.abs(x) > 0.35) & (np.abs(y) < 0.3)
    row, column = np.unravel_index(int(np.where(is_possible, bright, 0).argmax()), bright.shape)
    is_left = bool(x[row, column] < 0)
    fovea = (float(rng.normal(-0.05, 0.04)), float(rng.normal(0.05, 0.04)))
    return (abs(float(x[row, column])), float(y[row, column])), fovea, is_left
