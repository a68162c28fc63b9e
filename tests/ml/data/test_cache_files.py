"""Atomic writes of cache files."""

import threading
from pathlib import Path

import pytest

from ml.data.cache_files import atomic_write


def test_two_writers_can_write_the_same_file(tmp_path: Path) -> None:
    path, barrier, errors = tmp_path / "a.txt", threading.Barrier(2), []

    def write(text: str) -> None:
        try:
            with atomic_write(path) as partial:
                partial.write_text(text)
                barrier.wait()  # both have written before either replaces
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(text,)) for text in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert path.read_text() in {"first", "second"}
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_keeps_the_old_file_and_leaves_no_partial_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(TypeError), atomic_write(path) as partial:
        partial.write_text(1)  # type: ignore[arg-type]  # fails after the file was opened
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
