"""Photographs without a grade, for a student to learn from its teacher's word."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from ml.data.readers import read_photos
from ml.data.splits import SPLITS
from ml.errors import GradingError, InputError
from ml.serving.preprocess import PREPROCESSING_VERSION, crop_fundus, standardize_colors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.data.cache import FundusDataset


def unlabelled_retinas(
    folders: list[Path], *, graded: list[Path], retinas: "FundusDataset", side_px: int, cache: Path
) -> "NDArray[np.uint8]":
    """(n, S, S, 3) cropped photographs of ``folders``, memory-mapped; of nobody who is in validation or test.

    ``graded`` are the folders that ``retinas`` was made of: they tell whose photographs are held out. Photographs of
    rejected quality and those without a retina are left out. Raises InputError where none is left.
    """
    held_out = _held_out_people(graded, retinas)
    photos = [photo for folder in folders for photo in read_photos(folder)]
    paths = [photo.path for photo in photos if photo.quality != "reject" and photo.group not in held_out]
    recipe = json.dumps([PREPROCESSING_VERSION, side_px, [path.parts[-3:] for path in paths]])
    file = cache / f"unlabelled-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.npy"
    if not file.exists():
        _crop(paths, side_px=side_px, file=file)
    pixels: NDArray[np.uint8] = np.load(file, mmap_mode="r")
    if not len(pixels):
        raise InputError(f"No usable photograph in {', '.join(folder.name for folder in folders)}.")
    return pixels


def _held_out_people(folders: list[Path], retinas: "FundusDataset") -> set[str]:
    home = zip(retinas.sources.tolist(), retinas.files, retinas.splits.tolist(), strict=True)
    held_out = {(source, file) for source, file, part in home if SPLITS[part] != "train"}
    return {p.group for folder in folders for p in read_photos(folder) if (p.source, p.path.name) in held_out}


def _crop(paths: list[Path], *, side_px: int, file: Path) -> None:
    cropped = []
    for path in tqdm(paths, desc="crop unlabelled", unit="photo"):
        try:
            retina = crop_fundus(path, side_px=side_px)
        except GradingError as error:
            tqdm.write(f"{path.name}: {error}")
            continue
        if retina is not None:
            cropped.append(standardize_colors(retina))
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial.npy")
    np.save(partial, np.stack(cropped) if cropped else np.zeros((0, side_px, side_px, 3), np.uint8))
    partial.replace(file)
