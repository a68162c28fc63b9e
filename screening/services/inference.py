"""The bundle and the grader of this process. The only module that imports ``ml.grader``."""

import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from ml.bundle import GRAPH_FILE, WEIGHTS_FILE, Bundle, default_bundle, read_bundle
from ml.errors import BundleError

if TYPE_CHECKING:
    from ml.grader import Grader

_loading = threading.Lock()


def read_own_bundle(*, verify: bool = False) -> Bundle:
    """Read the bundle of the settings; ``verify`` also checks the hash of the weights. Raises BundleError."""
    return read_bundle(_bundle_folder(), verify=verify)


def _bundle_folder() -> Path:
    return Path(settings.MODEL_BUNDLE) if settings.MODEL_BUNDLE else default_bundle()


def state_of_files() -> tuple[tuple[int, int], ...]:
    """Size and time of change of each file of the bundle; shorter if files are missing. Raises BundleError."""
    files = [_bundle_folder() / name for name in ("bundle.json", GRAPH_FILE, WEIGHTS_FILE)]
    stats = [file.stat() for file in files if file.is_file()]
    return tuple((stat.st_size, stat.st_mtime_ns) for stat in stats)


def verified_bundle() -> Bundle:
    """The bundle of the settings, its hashes checked again whenever a file has changed. Raises BundleError, OSError."""
    return _verified(state_of_files())


@lru_cache(maxsize=1)
def _verified(_files: tuple[tuple[int, int], ...]) -> Bundle:
    return read_own_bundle(verify=True)


@lru_cache(maxsize=1)
def current_bundle() -> Bundle:
    """The bundle that grades new photographs, read once for each process. Raises BundleError."""
    return read_own_bundle()


@lru_cache(maxsize=1)
def _load_grader() -> "Grader":
    from ml.grader import Grader

    return Grader.load(_bundle_folder(), threads=settings.GRADING_THREADS)


def current_grader() -> "Grader":
    """The Grader of this process, loaded at first use. Raises BundleError.

    NB: call it after a fork, not before: a fork does not copy the threads of ONNX Runtime.
    """
    with _loading:
        try:
            return _load_grader()
        except OSError as error:
            raise BundleError(f"The model bundle cannot be read ({type(error).__name__}).") from error
