"""Contact sheet: photographs of each source as cached and augmented."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageDraw
from torchvision.transforms.v2.functional import to_pil_image
from torchvision.utils import make_grid

from ml.data.augment import BatchRandom, augment, resize_images
from ml.data.splits import TRAIN

if TYPE_CHECKING:
    from ml.data.cache import FundusDataset

N_AUGMENTED = 5
SIDE_PX = 224
MARGIN_PX = 16
SEED = 5


def contact_sheet(dataset: "FundusDataset") -> Image.Image:
    """Two training photographs of each source, with the lowest and the highest grade; first as cached."""
    random, images = BatchRandom(torch.Generator().manual_seed(SEED), N_AUGMENTED), []
    examples = _examples(dataset)
    for i in examples:
        photo = torch.from_numpy(dataset.pixels[i].copy()).permute(2, 0, 1)  # [3, H, W]
        images += [resize_images(photo[None], SIDE_PX)]  # [1, 3, S, S]
        images += [augment(photo.repeat(N_AUGMENTED, 1, 1, 1), random, image_size=SIDE_PX)]  # [5, 3, S, S]
    grid = make_grid(torch.cat(images), nrow=1 + N_AUGMENTED, padding=MARGIN_PX, pad_value=1.0)
    sheet: Image.Image = to_pil_image(grid)
    for row, i in enumerate(examples):
        caption = f"{dataset.sources[i]}, grade {dataset.grades[i]}: as cached, then augmented"
        ImageDraw.Draw(sheet).text((MARGIN_PX, row * (SIDE_PX + MARGIN_PX) + 2), caption, fill="black")
    return sheet


def _examples(dataset: "FundusDataset") -> list[int]:
    rng = np.random.default_rng(SEED)
    chosen: list[int] = []
    for source in np.unique(dataset.sources):
        inside = np.flatnonzero((dataset.sources == source) & (dataset.splits == TRAIN))
        grades = dataset.grades[inside]
        extremes = np.unique(grades)[[0, -1]] if len(inside) else grades
        chosen += [int(rng.choice(inside[grades == grade])) for grade in extremes]
    return chosen
