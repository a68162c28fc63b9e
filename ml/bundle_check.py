"""Check of a bundle of unknown origin, in a child process with limits (``ml.bundle_check_child``)."""

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
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 (a folder, after the checks above)
            [sys.executable, "-E", "-s", "-m", "ml.bundle_check_child", str(folder)],
            cwd=_ROOT,
            env={**kept, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            timeout=MAX_WAIT_S,
            check=False,
        )
        result = json.loads(done.stdout.splitlines()[-1])
        problem, version = str(result.get("problem", "")), str(result.get("model_version", ""))
    except (subprocess.TimeoutExpired, IndexError, ValueError, AttributeError):
        raise BundleError("The check ended without a result: it took too much time or memory, or broke off.") from None
    if problem or not version:
        raise BundleError(problem or "The check has no result.")
    return version
