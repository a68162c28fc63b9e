"""Cache files: names that are hashes of their inputs, atomic writes."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def recipe_hash(recipe: list[object]) -> str:
    """16 hexadecimal digits that identify all inputs a cached file is computed from."""
    return hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:16]


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Path to write to instead of ``path``, which is replaced only if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.stem}.partial{path.suffix}")
    yield partial
    partial.replace(path)
