"""Unlabelled photographs for distillation."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from ml.data.cache_files import atomic_write, recipe_hash
from ml.data.cropping import crop
from ml.data.readers import read_photos
from ml.data.splits import TRAIN
from ml.errors import InputError
from ml.serving.preprocess import CROP_VERSION, PREPROCESSING_VERSION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.data.cache import FundusDataset


def load_unlabelled(folders: list[Path], *, dataset: "FundusDataset", side_px: int, cache: Path) -> "NDArray[np.uint8]":
    """Crop the photographs of ``folders``, cached: (n, S, S, 3), memory-mapped.

    Patients of the validation and test splits of ``dataset`` are left out, as are photographs of rejected quality and
    those without a retina. Raises InputError if none is left.
    """
    held_out = {photo.group for photo, split in zip(dataset.photos, dataset.splits, strict=True) if split != TRAIN}
    photos = [photo for folder in folders for photo in read_photos(folder)]
    paths = [photo.path for photo in photos if photo.quality != "reject" and photo.group not in held_out]
    recipe = [PREPROCESSING_VERSION, CROP_VERSION, side_px, [path.parts[-3:] for path in paths]]
    file = cache / f"unlabelled-{recipe_hash(recipe)}.npy"
    if not file.exists():
        results = (crop(path, side_px=side_px) for path in tqdm(paths, desc="crop unlabelled", unit="photo"))
        crops = [result.pixels for result in results if result.pixels is not None]
        with atomic_write(file) as partial:
            np.save(partial, np.stack(crops) if crops else np.zeros((0, side_px, side_px, 3), np.uint8))
    pixels: NDArray[np.uint8] = np.load(file, mmap_mode="r")
    if not len(pixels):
        raise InputError(f"No usable photograph in {', '.join(folder.name for folder in folders)}.")
    return pixels
