"""The model of this process: its bundle and its grader. The only module that imports ``ml.grader``."""

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
    """The bundle that this site's settings name, read anew; ``verify`` also hashes the weights. Raises BundleError."""
    return read_bundle(_bundle_folder(), verify=verify)


def _bundle_folder() -> Path:
    return Path(settings.MODEL_BUNDLE) if settings.MODEL_BUNDLE else default_bundle()


@lru_cache(maxsize=1)
def current_bundle() -> Bundle:
    """The bundle that grades new photographs, kept for the life of the process. Raises BundleError."""
    return read_own_bundle()


@lru_cache(maxsize=1)
def _load_grader() -> "Grader":
    from ml.grader import Grader

    return Grader.load(_bundle_folder(), threads=settings.GRADING_THREADS)


def current_grader() -> "Grader":
    """This process's one Grader, made at first use: threads of onnxruntime do not survive a fork.

    Raises BundleError.
    """
    with _loading:
        return _load_grader()
