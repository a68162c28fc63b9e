"""Bundle and grader of each served model in this process. The only module that imports ``ml.grader``."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from ml.bundle import GRAPH_FILE, WEIGHTS_FILE, Bundle, default_bundle, read_bundle
from ml.errors import BundleError
from ml.vocabulary import ServedModel

if TYPE_CHECKING:
    from ml.grader import Grader as Grader  # noqa: PLC0414 (services.active_bundles uses the type)

_loading = threading.Lock()
FilesState = tuple[tuple[int, int], ...]
"""Size and time of change of each file of a bundle; shorter if files are missing."""
MAX_VERIFIED = 64
"""Registered bundles whose descriptions are kept after a check of their hashes."""


def read_own_bundle(model: ServedModel, *, verify: bool = False) -> Bundle:
    """Read the bundle of a served model; ``verify`` also checks the hash of the weights. Raises BundleError."""
    return read_bundle(folder_of(model), verify=verify)


def folder_of(model: ServedModel) -> Path:
    """Folder of the bundle of a served model. Raises BundleError."""
    folder = settings.MODEL_BUNDLES[model]
    return Path(folder) if folder else default_bundle(model)


def state_of_files(model: ServedModel) -> FilesState:
    """State of the files of the bundle. Raises BundleError, OSError."""
    return _state_of(folder_of(model))


def _state_of(folder: Path) -> FilesState:
    files = [folder / name for name in ("bundle.json", GRAPH_FILE, WEIGHTS_FILE)]
    stats = [file.stat() for file in files if file.is_file()]
    return tuple((stat.st_size, stat.st_mtime_ns) for stat in stats)


def verified_bundle(model: ServedModel) -> Bundle:
    """The bundle, its hashes checked again whenever a file has changed. Raises BundleError, OSError."""
    return _verified(model, state_of_files(model))


@lru_cache(maxsize=len(ServedModel))
def _verified(model: ServedModel, _files: FilesState) -> Bundle:
    return read_own_bundle(model, verify=True)


@lru_cache(maxsize=len(ServedModel))
def current_bundle(model: ServedModel) -> Bundle:
    """The bundle that grades new photographs, read once for each process. Raises BundleError."""
    return read_own_bundle(model)


class LoadedGraders:
    """The graders of this process. Those that were not used for longest make room within MODEL_MEMORY_MB.

    NB: one is kept however large it is, because a model that cannot be loaded grades nothing. Not for threads.
    """

    def __init__(self) -> None:
        self._graders: OrderedDict[Path, Grader] = OrderedDict()

    def get(self, folder: Path) -> "Grader":
        """The grader of a bundle, loaded at first use and after it made room. Raises BundleError, OSError."""
        if folder not in self._graders:
            bundle = read_bundle(folder)
            self._make_room(bundle.memory_bytes)
            self._graders[folder] = self._load(folder)
        self._graders.move_to_end(folder)
        return self._graders[folder]

    @property
    def folders(self) -> list[Path]:
        """Those that are loaded, the longest unused one first."""
        return list(self._graders)

    def _make_room(self, n_bytes: int) -> None:
        limit = settings.MODEL_MEMORY_MB * 1_000_000
        while self._graders and n_bytes + sum(one.bundle.memory_bytes for one in self._graders.values()) > limit:
            self._graders.popitem(last=False)

    def _load(self, folder: Path) -> "Grader":
        from ml.grader import Grader

        return Grader.load(folder, threads=settings.GRADING_THREADS)


_graders = LoadedGraders()


def current_grader(model: ServedModel) -> "Grader":
    """The Grader of a served model in this process, loaded at first use. Raises BundleError.

    NB: call it after a fork, not before: a fork does not copy the threads of ONNX Runtime.
    """
    with _loading:
        try:
            return _graders.get(folder_of(model))
        except OSError as error:
            raise BundleError(f"The bundle of the {model} model cannot be read ({type(error).__name__}).") from error


def registered_grader(folder: Path, description_sha256: str) -> "Grader":
    """The Grader of a registered bundle. Raises BundleError if bundle.json is not the one that was registered."""
    with _loading, _as_registered(folder, description_sha256):
        return _graders.get(folder)


def registered_bundle(folder: Path, description_sha256: str, *, verify: bool = False) -> Bundle:
    """The description of a registered bundle; ``verify`` checks its hashes once for each change of its files.

    Raises BundleError if bundle.json is not the one that was registered.
    """
    with _as_registered(folder, description_sha256):
        return _verified_registered(folder, _state_of(folder)) if verify else read_bundle(folder)


@lru_cache(maxsize=MAX_VERIFIED)
def _verified_registered(folder: Path, _files: FilesState) -> Bundle:
    return read_bundle(folder, verify=True)


@contextmanager
def _as_registered(folder: Path, description_sha256: str) -> Iterator[None]:
    """Raise BundleError for a folder that is missing, or whose description is another one."""
    try:
        if description_hash(folder) != description_sha256:
            raise BundleError(f"{folder.name} was altered after its registration. Restore it, or register it again.")
        yield
    except OSError as error:
        raise BundleError(f"The bundle {folder.name} cannot be read ({type(error).__name__}).") from error


def description_hash(folder: Path) -> str:
    """SHA-256 of bundle.json, which holds those of graph and weights. Raises OSError."""
    return hashlib.sha256((folder / "bundle.json").read_bytes()).hexdigest()
