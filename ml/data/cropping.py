"""Fill a cache: crop all photographs in several processes, resumable."""

import fcntl
import functools
import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from ml.data.cache_files import atomic_write
from ml.data.duplicates import SIGNATURE_LENGTH, SIGNATURE_SIDE_PX, signature
from ml.data.labels import LabelledPhoto
from ml.errors import GradingError
from ml.serving.preprocess import FundusCrop, crop_fundus, standardize_colors

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Photographs after which arrays and progress are written to the disk.
CHUNK_SIZE = 256
CROPPED, NO_RETINA = "cropped", "no retina"
STATUSES = "statuses.json"


@dataclass(frozen=True, slots=True)
class CropResult:
    """Crop of one photograph. ``status`` is CROPPED, NO_RETINA or an error message."""

    status: str
    pixels: "NDArray[np.uint8] | None" = None  # (S, S, 3)
    signature: "NDArray[np.float32] | None" = None


def crop(path: Path, *, side_px: int) -> CropResult:
    """Crop one photograph to its field of view; an unreadable file is a result, not an error."""
    if not path.is_file():
        return CropResult("The file is missing.")
    try:
        found = crop_fundus(path, side_px=side_px)
        if found is None:
            return CropResult(NO_RETINA)
        return CropResult(CROPPED, standardize_colors(found), signature(_at_signature_side(path, found)))
    except GradingError as error:
        return CropResult(str(error))


def _at_signature_side(path: Path, found: FundusCrop) -> "NDArray[np.uint8]":
    """Crop for the signature, the same for any side of the cache.

    So duplicates, and with them the splits, do not depend on it.
    """
    if found.pixels.shape[0] != SIGNATURE_SIDE_PX:
        found = crop_fundus(path, side_px=SIGNATURE_SIDE_PX) or found
    return standardize_colors(found)


def crop_all(photos: list[LabelledPhoto], *, side_px: int, cache_dir: Path, n_workers: int = 1) -> None:
    """Fill ``cache_dir`` with pixels.npy, signatures.npy and statuses.json.

    It appears only when complete; until then the work is in ``cache_dir`` with the suffix .partial, where a later call
    resumes. A second process that needs the same cache waits. Raises GradingError if no photograph shows a retina.
    """
    work_dir = cache_dir.with_suffix(".partial")
    work_dir.mkdir(parents=True, exist_ok=True)
    with file_lock(cache_dir.with_suffix(".lock")):
        if cache_dir.exists():
            return
        progress = _Progress.resumed(work_dir, n_photos=len(photos), side_px=side_px)
        n_done = len(progress.statuses)
        with tqdm(total=len(photos), initial=n_done, desc="crop", unit="photo", smoothing=0.05) as bar:
            for result in _results(photos[n_done:], side_px=side_px, n_workers=n_workers):
                progress.add(result)
                bar.update()
        progress.finish()
        work_dir.replace(cache_dir)


def read_statuses(cache_dir: Path) -> list[str]:
    """Status of each photograph: CROPPED, NO_RETINA or an error message."""
    statuses: list[str] = json.loads((cache_dir / STATUSES).read_text())
    return statuses


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a lock that the system releases when the process ends, also if it is killed."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    path.unlink(missing_ok=True)


def _results(photos: list[LabelledPhoto], *, side_px: int, n_workers: int) -> Iterator[CropResult]:
    work = functools.partial(crop, side_px=side_px)
    if n_workers == 1:
        yield from (work(photo.path) for photo in photos)
        return
    # NB: a forked process inherits locks that a thread of torch's may hold, and then waits for ever
    with ProcessPoolExecutor(n_workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for start in range(0, len(photos), CHUNK_SIZE):  # or all results would wait in memory
            yield from pool.map(work, [p.path for p in photos[start : start + CHUNK_SIZE]], chunksize=8)


@dataclass(slots=True)
class _Progress:
    """The arrays being filled; ``statuses`` has an entry for each photograph done."""

    work_dir: Path
    pixels: "NDArray[np.uint8]"
    signatures: "NDArray[np.float32]"
    statuses: list[str] = field(default_factory=list)
    n_cropped: int = 0

    @classmethod
    def resumed(cls, work_dir: Path, *, n_photos: int, side_px: int) -> "_Progress":
        """Open the arrays of an interrupted call, or create them."""
        statuses = read_statuses(work_dir) if (work_dir / STATUSES).exists() else []

        def opened(name: str, dtype: type, shape: tuple[int, ...]) -> "NDArray[Any]":
            if statuses:
                return np.lib.format.open_memmap(work_dir / name, "r+")
            return np.lib.format.open_memmap(work_dir / name, "w+", dtype, shape)

        pixels = opened("pixels.npy", np.uint8, (n_photos, side_px, side_px, 3))
        signatures = opened("signatures.partial.npy", np.float32, (n_photos, SIGNATURE_LENGTH))
        return cls(work_dir, pixels, signatures, statuses, statuses.count(CROPPED))

    def add(self, result: CropResult) -> None:
        """Store the next photograph."""
        if result.pixels is not None and result.signature is not None:
            self.pixels[self.n_cropped] = result.pixels
            self.signatures[self.n_cropped] = result.signature
            self.n_cropped += 1
        self.statuses.append(result.status)
        if len(self.statuses) % CHUNK_SIZE == 0:
            self._save()

    def _save(self) -> None:
        """Write the arrays before the statuses: an interruption in between only repeats some work."""
        for array in (self.pixels, self.signatures):
            if isinstance(array, np.memmap):
                array.flush()
        with atomic_write(self.work_dir / STATUSES) as partial:
            partial.write_text(json.dumps(self.statuses))

    def finish(self) -> None:
        """Save all. Raises GradingError if no photograph was cropped."""
        self._save()
        if not self.n_cropped:
            raise GradingError("None of the photographs shows a retina.")
        np.save(self.work_dir / "signatures.npy", self.signatures[: self.n_cropped])
        (self.work_dir / "signatures.partial.npy").unlink()
