"""The bundle and the grader of this process. The only module that imports ``ml.grader``."""

import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from ml.bundle import Bundle, default_bundle, read_bundle

if TYPE_CHECKING:
    from ml.grader import Grader

_loading = threading.Lock()


def read_own_bundle(*, verify: bool = False) -> Bundle:
    """Read the bundle of the settings; ``verify`` also checks the hash of the weights. Raises BundleError."""
    return read_bundle(_bundle_folder(), verify=verify)


def _bundle_folder() -> Path:
    return Path(settings.MODEL_BUNDLE) if settings.MODEL_BUNDLE else default_bundle()


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
        return _load_grader()
