"""Fill a cache: crop every photograph to its retina, on several processors, and go on where a stop left off."""

import csv
import fcntl
import functools
import json
import multiprocessing
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from ml.data.duplicates import SIGNATURE_SIDE, SIGNATURE_SQUARE_PX, signature
from ml.data.labels import LabelledPhoto
from ml.errors import GradingError
from ml.serving.preprocess import FundusCrop, crop_fundus, standardize_colors

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_AT_ONCE = 256
"""Photographs after which the arrays are written to the disk and the progress noted."""
GROWING = "signatures.partial.npy"
FOUND, NO_RETINA = "found", "no retina"


@dataclass(frozen=True, slots=True)
class Cropped:
    """One photograph's square (S, S, 3) uint8 and signature, or why there is none: NO_RETINA or the fault in words."""

    outcome: str
    pixels: "NDArray[np.uint8] | None" = None
    signature: "NDArray[np.float32] | None" = None


def crop(path: Path, *, side_px: int) -> Cropped:
    """Crop one photograph to its retina; a file that cannot be read is an outcome, not an error."""
    if not path.is_file():
        return Cropped("The file is missing.")
    try:
        retina = crop_fundus(path, side_px=side_px)
        if retina is None:
            return Cropped(NO_RETINA)
        return Cropped(FOUND, standardize_colors(retina), signature(_at_signature_side(path, retina)))
    except GradingError as error:
        return Cropped(str(error))


def _at_signature_side(path: Path, retina: FundusCrop) -> "NDArray[np.uint8]":
    """The same square whatever the cache's side, so that copies, and with them the split, are always the same ones."""
    if retina.pixels.shape[0] != SIGNATURE_SQUARE_PX:
        again = crop_fundus(path, side_px=SIGNATURE_SQUARE_PX)
        retina = again if again is not None else retina
    return standardize_colors(retina)


def crop_all(photos: list[LabelledPhoto], *, side_px: int, place: Path, n_workers: int = 1) -> None:
    """Fill ``place`` with pixels.npy, signatures.npy and rows.csv; it appears only when whole.

    Until then the work is in ``place`` with the suffix .partial, where a later call goes on. A second process that
    wants the same cache waits. Raises GradingError where no photograph shows a retina.
    """
    work = place.with_suffix(".partial")
    work.mkdir(parents=True, exist_ok=True)
    with _alone(place.with_suffix(".lock")):
        if (place / "rows.csv").exists():
            return
        progress = _Progress.resumed(work, n_photos=len(photos), side_px=side_px)
        with tqdm(
            total=len(photos), initial=len(progress.outcomes), desc="crop to the retina", unit="photo", smoothing=0.05
        ) as bar:
            for cropped in _cropped(photos[len(progress.outcomes) :], side_px=side_px, n_workers=n_workers):
                progress.add(cropped)
                bar.update()
        progress.finish(photos)
        shutil.rmtree(place, ignore_errors=True)  # what an earlier version left half done there
        work.replace(place)
        (place / GROWING).unlink()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock that the system frees when the process ends, however it ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    path.unlink(missing_ok=True)


def _cropped(photos: list[LabelledPhoto], *, side_px: int, n_workers: int) -> Iterator[Cropped]:
    work = functools.partial(crop, side_px=side_px)
    if n_workers == 1:
        yield from (work(photo.path) for photo in photos)
        return
    # NB: a forked process inherits locks that a thread of torch's may hold, and then waits for ever
    with ProcessPoolExecutor(n_workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for start in range(0, len(photos), N_AT_ONCE):  # a part at a time, or all results would wait in memory
            yield from pool.map(work, [p.path for p in photos[start : start + N_AT_ONCE]], chunksize=8)


@dataclass(slots=True)
class _Progress:
    """The arrays being filled. ``outcomes`` has a text for each photograph done; the found ones fill the rows."""

    work: Path
    pixels: "NDArray[np.uint8]"
    signatures: "NDArray[np.float32]"
    outcomes: list[str] = field(default_factory=list)
    n_found: int = 0

    @classmethod
    def resumed(cls, work: Path, *, n_photos: int, side_px: int) -> "_Progress":
        """Open what an earlier call left, or begin."""
        log = work / "outcomes.json"
        outcomes: list[str] = json.loads(log.read_text()) if log.exists() else []
        mode = "r+" if outcomes else "w+"

        def opened(name: str, kind: type, shape: tuple[int, ...]) -> "NDArray[np.generic]":
            return np.lib.format.open_memmap(work / name, mode, kind, None if outcomes else shape)

        pixels = opened("pixels.npy", np.uint8, (n_photos, side_px, side_px, 3))
        signatures = opened(GROWING, np.float32, (n_photos, (SIGNATURE_SIDE * 2) ** 2))
        return cls(work, pixels, signatures, outcomes, outcomes.count(FOUND))  # type: ignore[arg-type]

    def add(self, cropped: Cropped) -> None:
        """Take in the next photograph."""
        if cropped.pixels is not None and cropped.signature is not None:
            self.pixels[self.n_found] = cropped.pixels
            self.signatures[self.n_found] = cropped.signature
            self.n_found += 1
        self.outcomes.append(cropped.outcome)
        if len(self.outcomes) % N_AT_ONCE == 0:
            self._save()

    def _save(self) -> None:
        """First the arrays, then the note that they are there: a stop in between only repeats some work."""
        for array in (self.pixels, self.signatures):
            if isinstance(array, np.memmap):
                array.flush()
        partial = self.work / "outcomes.partial"
        partial.write_text(json.dumps(self.outcomes))
        partial.replace(self.work / "outcomes.json")

    def finish(self, photos: list[LabelledPhoto]) -> None:
        """Write what a reader of the cache needs beside the pixels. Raises GradingError where there is nothing."""
        self._save()
        if not self.n_found:
            raise GradingError("None of the photographs shows a retina.")
        np.save(self.work / "signatures.npy", self.signatures[: self.n_found])
        rows = [
            [photo.source, photo.path.name, photo.grade, photo.group, number]
            for number, (photo, outcome) in enumerate(zip(photos, self.outcomes, strict=True))
            if outcome == FOUND
        ]
        with (self.work / "rows.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["source", "file", "grade", "group", "number"], *rows])
