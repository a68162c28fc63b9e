"""Files of a cache: names that are hashes of their recipe, writes that are complete or absent."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def recipe_hash(recipe: list[object]) -> str:
    """16 hexadecimal digits that identify all inputs a cached file was computed from."""
    return hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:16]


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Path to write to instead of ``path``, which is replaced only after the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.stem}.partial{path.suffix}")
    yield partial
    partial.replace(path)
