"""Unlabelled photographs for distillation."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from ml.data.cache_files import atomic_write, recipe_hash
from ml.data.readers import read_photos
from ml.data.splits import TRAIN
from ml.errors import GradingError, InputError
from ml.serving.preprocess import PREPROCESSING_VERSION, crop_fundus, standardize_colors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.data.cache import FundusDataset


def load_unlabelled(
    folders: list[Path], *, graded: list[Path], dataset: "FundusDataset", side_px: int, cache: Path
) -> "NDArray[np.uint8]":
    """Crop the photographs of ``folders``, cached: (n, S, S, 3), memory-mapped.

    ``dataset`` was loaded from the folders ``graded``: patients of its validation and test splits are left out, as are
    photographs of rejected quality and those without a retina. Raises InputError if none is left.
    """
    held_out = _held_out_groups(graded, dataset)
    photos = [photo for folder in folders for photo in read_photos(folder)]
    paths = [photo.path for photo in photos if photo.quality != "reject" and photo.group not in held_out]
    file = cache / f"unlabelled-{recipe_hash([PREPROCESSING_VERSION, side_px, [p.parts[-3:] for p in paths]])}.npy"
    if not file.exists():
        crops = _crop_readable(paths, side_px=side_px)
        with atomic_write(file) as partial:
            np.save(partial, np.stack(crops) if crops else np.zeros((0, side_px, side_px, 3), np.uint8))
    pixels: NDArray[np.uint8] = np.load(file, mmap_mode="r")
    if not len(pixels):
        raise InputError(f"No usable photograph in {', '.join(folder.name for folder in folders)}.")
    return pixels


def _held_out_groups(folders: list[Path], dataset: "FundusDataset") -> set[str]:
    files = zip(dataset.sources.tolist(), dataset.files, dataset.splits.tolist(), strict=True)
    held_out = {(source, file) for source, file, split in files if split != TRAIN}
    return {p.group for folder in folders for p in read_photos(folder) if (p.source, p.path.name) in held_out}


def _crop_readable(paths: list[Path], *, side_px: int) -> "list[NDArray[np.uint8]]":
    crops = []
    for path in tqdm(paths, desc="crop unlabelled", unit="photo"):
        try:
            crop = crop_fundus(path, side_px=side_px)
        except GradingError as error:
            tqdm.write(f"{path.name}: {error}")
            continue
        if crop is not None:
            crops.append(standardize_colors(crop))
    return crops
