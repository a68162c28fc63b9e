"""Photographs cropped once to their retina and kept as memory-mapped arrays."""

import csv
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from ml.data.duplicates import SIGNATURE_SQUARE_PX, copies, merge_groups, signature
from ml.data.labels import LabelledPhoto, read_labels
from ml.data.splits import split
from ml.prediction import GradingError
from ml.preprocess import PREPROCESSING_VERSION, Retina, even_colours, locate_retina

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class RetinaSet:
    """Cropped retinas with their grades. ``pixels`` (n, S, S, 3) uint8 with evened colours, memory-mapped.

    ``parts`` holds 0 training, 1 validation, 2 test; ``groups`` the person or set of copies.
    """

    pixels: "NDArray[np.uint8]"
    grades: "NDArray[np.int64]"
    sources: "NDArray[np.str_]"
    groups: "NDArray[np.str_]"
    parts: "NDArray[np.int8]"
    files: list[str]
    n_copies: int
    n_without_retina: int

    def where(self, part: int) -> "NDArray[np.int64]":
        """Indices of the photographs in one part of the split."""
        return np.flatnonzero(self.parts == part)


def prepare(folders: list[Path], *, side_px: int, cache: Path) -> RetinaSet:
    """Read, crop, group and split all photographs of ``folders``; from the cache where the recipe is the same."""
    photos = [photo for folder in folders for photo in read_labels(folder)]
    recipe = json.dumps([PREPROCESSING_VERSION, side_px, [(p.source, p.path.name, p.grade) for p in photos]])
    place = cache / hashlib.sha256(recipe.encode()).hexdigest()[:16]
    if not (place / "rows.csv").exists():
        _crop_all(photos, side_px=side_px, place=place)
    with (place / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    pixels = np.load(place / "pixels.npy", mmap_mode="r")
    pairs = copies(np.load(place / "signatures.npy"))
    groups = merge_groups([r["group"] for r in rows], pairs)
    sources, grades = [r["source"] for r in rows], [int(r["grade"]) for r in rows]
    return RetinaSet(
        pixels=pixels,
        grades=np.asarray(grades, np.int64),
        sources=np.asarray(sources),
        groups=np.asarray(groups),
        parts=split(sources, grades, groups),
        files=[r["file"] for r in rows],
        n_copies=len(pairs),
        n_without_retina=len(photos) - len(rows),
    )


def _at_signature_side(photo: LabelledPhoto, retina: Retina) -> "NDArray[np.uint8]":
    """The same square whatever the cache's side, so that copies, and with them the split, are always the same ones."""
    if retina.pixels.shape[0] != SIGNATURE_SQUARE_PX:
        again = locate_retina(photo.path, side_px=SIGNATURE_SQUARE_PX)
        retina = again if again is not None else retina
    return even_colours(retina)


def _crop_all(photos: list[LabelledPhoto], *, side_px: int, place: Path) -> None:
    """Write pixels.npy, signatures.npy and, last, rows.csv: its presence says that the cache is whole."""
    place.mkdir(parents=True, exist_ok=True)
    shape = (len(photos), side_px, side_px, 3)
    pixels = np.lib.format.open_memmap(place / "pixels.npy", "w+", np.uint8, shape)
    rows: list[list[str | int]] = []
    signatures: list[NDArray[np.float32]] = []
    for photo in tqdm(photos, desc="crop to the retina", unit="photo"):
        try:
            retina = locate_retina(photo.path, side_px=side_px)
        except GradingError as error:
            tqdm.write(f"{photo.path.name}: {error}")
            continue
        if retina is None:
            continue
        pixels[len(rows)] = even_colours(retina)
        signatures.append(signature(_at_signature_side(photo, retina)))
        rows.append([photo.source, photo.path.name, photo.grade, photo.group])
    pixels.flush()
    np.save(place / "signatures.npy", np.stack(signatures))
    with (place / "rows.tmp").open("w", newline="") as file:
        csv.writer(file).writerows([["source", "file", "grade", "group"], *rows])
    (place / "rows.tmp").replace(place / "rows.csv")
