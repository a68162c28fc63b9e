"""A picture of what training sees: photographs of each source as cached, and some of their changes."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageDraw

from ml.data.augment import BatchRandom, augment, resize_images
from ml.data.splits import TRAIN

if TYPE_CHECKING:
    from torch import Tensor

    from ml.data.cache import FundusDataset

N_CHANGES = 5
SIDE_PX = 224
MARGIN_PX = 6
CAPTION_PX = 16


def contact_sheet(retinas: "FundusDataset", *, seed: int = 5) -> Image.Image:
    """For each source the least and the most diseased training photograph, as cached and changed."""
    random = BatchRandom(torch.Generator().manual_seed(seed), N_CHANGES)
    rows = []
    for i in _examples(retinas, seed=seed):
        photo = torch.from_numpy(retinas.pixels[i].copy()).permute(2, 0, 1)  # [3, H, W]
        changed = augment(photo.repeat(N_CHANGES, 1, 1, 1), random, image_size=SIDE_PX)  # [5, 3, S, S]
        squares = torch.cat([resize_images(photo[None], SIDE_PX), changed])  # [6, 3, S, S]
        rows.append((f"{retinas.sources[i]}, grade {retinas.grades[i]}: as cached, then {N_CHANGES} changes", squares))
    return _drawn(rows)


def _examples(retinas: "FundusDataset", *, seed: int) -> list[int]:
    rng = np.random.default_rng(seed)
    chosen: list[int] = []
    for source in np.unique(retinas.sources):
        inside = np.flatnonzero((retinas.sources == source) & (retinas.splits == TRAIN))
        grades = retinas.grades[inside]
        extremes = np.unique(grades)[[0, -1]] if len(inside) else grades
        chosen += [int(rng.choice(inside[grades == grade])) for grade in extremes]
    return chosen


def _drawn(rows: "list[tuple[str, Tensor]]") -> Image.Image:
    step_x, step_y = SIDE_PX + MARGIN_PX, SIDE_PX + MARGIN_PX + CAPTION_PX
    sheet = Image.new("RGB", ((1 + N_CHANGES) * step_x + MARGIN_PX, len(rows) * step_y + MARGIN_PX), "white")
    pen = ImageDraw.Draw(sheet)
    for r, (caption, squares) in enumerate(rows):
        pen.text((MARGIN_PX, r * step_y + 2), caption, fill="black")
        for c, square in enumerate(squares):
            pixels = (square.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()  # (S, S, 3)
            sheet.paste(Image.fromarray(pixels), (MARGIN_PX + c * step_x, r * step_y + CAPTION_PX))
    return sheet
