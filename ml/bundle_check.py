"""Bundles of unknown origin: unpacked and checked in child processes with limits (``ml.bundle_check_child``)."""

import json
import os
import subprocess
import sys
from pathlib import Path

from ml.errors import BundleError

MAX_FILE_BYTES = {"bundle.json": 1_000_000, "model.onnx": 20_000_000, "weights.safetensors": 500_000_000}
MAX_WAIT_S = 90.0
_ROOT = Path(__file__).resolve().parents[1]


def check_bundle(folder: Path) -> str:
    """The model version of a bundle that can be loaded and grades. Raises BundleError for any other folder.

    No file of it is read in this process.
    """
    for name, limit in MAX_FILE_BYTES.items():
        file = folder / name
        if file.is_symlink() or not file.is_file():
            raise BundleError(f"{name} is missing.")
        if file.stat().st_size > limit:
            raise BundleError(f"{name} has more than {limit // 1_000_000} MB.")
    result = _run_child("ml.bundle_check_child", str(folder))
    version = str(result.get("model_version", ""))
    if not version:
        raise BundleError("The check has no result.")
    return version


def unpack_bundle(archive: Path, folder: Path) -> None:
    """Unpack a ZIP archive of a bundle into an empty folder, in a child process with limits. Raises BundleError."""
    _run_child("ml.bundle_archive_child", str(archive.resolve()), str(folder.resolve()))


def _run_child(module: str, *arguments: str) -> dict[str, object]:
    """The last line that a child process prints. Raises BundleError for a problem, and without a result."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 (folders and files of this installation)
            [sys.executable, "-E", "-s", "-m", module, *arguments],
            cwd=_ROOT,
            env={**kept, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            timeout=MAX_WAIT_S,
            check=False,
        )
        result: dict[str, object] = dict(json.loads(done.stdout.splitlines()[-1]))
    except (subprocess.TimeoutExpired, IndexError, ValueError, TypeError):
        raise BundleError("The check ended without a result: it took too much time or memory, or broke off.") from None
    if problem := str(result.get("problem", "")):
        raise BundleError(problem)
    return result
