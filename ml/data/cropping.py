"""Fill a cache: crop all photographs in several processes, resumable."""

import fcntl
import functools
import json
import multiprocessing
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from tqdm import tqdm

from ml.data.cache_files import atomic_write
from ml.data.duplicates import SIGNATURE_LENGTH, SIGNATURE_SIDE_PX, signature
from ml.data.labels import LabelledPhoto
from ml.errors import GradingError
from ml.serving.preprocess import crop_fundus, standardize_colors

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Photographs after which arrays and progress are written to the disk.
CHUNK_SIZE = 256
CROPPED, NO_RETINA, MISSING = "cropped", "no retina", "The file is missing."
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
        return CropResult(MISSING)
    try:
        found = crop_fundus(path, side_px=side_px)
        if found is None:
            return CropResult(NO_RETINA)
        # the same signature for any side of the cache, so that duplicates and splits do not depend on it
        has_side = side_px == SIGNATURE_SIDE_PX
        of_signature = found if has_side else crop_fundus(path, side_px=SIGNATURE_SIDE_PX) or found
        return CropResult(CROPPED, standardize_colors(found), signature(standardize_colors(of_signature)))
    except GradingError as error:
        return CropResult(str(error))


def crop_all(photos: list[LabelledPhoto], *, side_px: int, cache_dir: Path, n_workers: int = 1) -> None:
    """Fill ``cache_dir`` with pixels.npy, signatures.npy and statuses.json.

    The arrays begin with the cropped photographs; the rest is unused. The folder appears only when complete; until then
    the work is in ``cache_dir`` with the suffix .partial, where a later call resumes. A second process that needs the
    same cache waits. Raises GradingError if no photograph exists or none shows a retina.
    """
    work_dir = cache_dir.with_suffix(".partial")
    work_dir.mkdir(parents=True, exist_ok=True)
    with file_lock(cache_dir.with_suffix(".lock")):
        if cache_dir.exists():
            return
        statuses = read_statuses(work_dir) if (work_dir / STATUSES).exists() else []
        mode: Literal["r+", "w+"] = "r+" if statuses else "w+"
        pixels, signatures = (
            np.lib.format.open_memmap(work_dir / name, mode, dtype, (len(photos), *shape))
            for name, dtype, shape in (
                ("pixels.npy", np.uint8, (side_px, side_px, 3)),
                ("signatures.npy", np.float32, (SIGNATURE_LENGTH,)),
            )
        )
        n_cropped, results = statuses.count(CROPPED), _results(photos[len(statuses) :], side_px, n_workers)
        for result in tqdm(results, "crop", len(photos), initial=len(statuses), unit="photo", smoothing=0.05):
            if result.pixels is not None:
                pixels[n_cropped], signatures[n_cropped] = result.pixels, result.signature
                n_cropped += 1
            statuses.append(result.status)
            if len(statuses) % CHUNK_SIZE == 0 or len(statuses) == len(photos):
                pixels.flush()  # before the statuses: an interruption in between only repeats some work
                signatures.flush()
                with atomic_write(work_dir / STATUSES) as partial:
                    partial.write_text(json.dumps(statuses))
        if not n_cropped:
            shutil.rmtree(work_dir)  # the next call must look at the files again
            if set(statuses) == {MISSING}:
                raise GradingError(f"None of the photographs in the tables exists, such as {photos[0].path}.")
            raise GradingError("None of the photographs shows a retina.")
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


def _results(photos: list[LabelledPhoto], side_px: int, n_workers: int) -> Iterator[CropResult]:
    work = functools.partial(crop, side_px=side_px)
    if n_workers == 1:
        yield from (work(photo.path) for photo in photos)
        return
    # NB: a forked process inherits locks that a thread of torch's may hold, and then waits for ever
    with ProcessPoolExecutor(n_workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for start in range(0, len(photos), CHUNK_SIZE):  # or all results would wait in memory
            yield from pool.map(work, [p.path for p in photos[start : start + CHUNK_SIZE]], chunksize=8)
