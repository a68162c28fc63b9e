"""Contact sheet: photographs of each source as cached and augmented."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageDraw

from ml.data.augment import BatchRandom, augment, resize_images
from ml.data.splits import TRAIN

if TYPE_CHECKING:
    from torch import Tensor

    from ml.data.cache import FundusDataset

N_AUGMENTED = 5
SIDE_PX = 224
MARGIN_PX = 6
CAPTION_PX = 16


def contact_sheet(dataset: "FundusDataset", *, seed: int = 5) -> Image.Image:
    """Two training photographs of each source, with the lowest and the highest grade."""
    random = BatchRandom(torch.Generator().manual_seed(seed), N_AUGMENTED)
    rows = []
    for i in _examples(dataset, seed=seed):
        photo = torch.from_numpy(dataset.pixels[i].copy()).permute(2, 0, 1)  # [3, H, W]
        augmented = augment(photo.repeat(N_AUGMENTED, 1, 1, 1), random, image_size=SIDE_PX)  # [5, 3, S, S]
        squares = torch.cat([resize_images(photo[None], SIDE_PX), augmented])  # [6, 3, S, S]
        rows.append((f"{dataset.sources[i]}, grade {dataset.grades[i]}: as cached, then augmented", squares))
    return _render(rows)


def _examples(dataset: "FundusDataset", *, seed: int) -> list[int]:
    rng = np.random.default_rng(seed)
    chosen: list[int] = []
    for source in np.unique(dataset.sources):
        inside = np.flatnonzero((dataset.sources == source) & (dataset.splits == TRAIN))
        grades = dataset.grades[inside]
        extremes = np.unique(grades)[[0, -1]] if len(inside) else grades
        chosen += [int(rng.choice(inside[grades == grade])) for grade in extremes]
    return chosen


def _render(rows: "list[tuple[str, Tensor]]") -> Image.Image:
    step_x, step_y = SIDE_PX + MARGIN_PX, SIDE_PX + MARGIN_PX + CAPTION_PX
    sheet = Image.new("RGB", ((1 + N_AUGMENTED) * step_x + MARGIN_PX, len(rows) * step_y + MARGIN_PX), "white")
    draw = ImageDraw.Draw(sheet)
    for r, (caption, squares) in enumerate(rows):
        draw.text((MARGIN_PX, r * step_y + 2), caption, fill="black")
        for c, square in enumerate(squares):
            pixels = (square.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()  # (S, S, 3)
            sheet.paste(Image.fromarray(pixels), (MARGIN_PX + c * step_x, r * step_y + CAPTION_PX))
    return sheet
