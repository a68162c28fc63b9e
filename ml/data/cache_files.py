"""Cache files: names that are hashes of their inputs, atomic writes."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def recipe_hash(recipe: list[object]) -> str:
    """16 hexadecimal digits that identify all inputs a cached file is computed from."""
    return hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:16]


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Path to write to instead of ``path``, which is replaced only if the block succeeds.

    Each writer has another path, so that two can write the same file. The partial file is deleted after an error.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.stem}.partial-{os.getpid()}-{threading.get_native_id()}{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
