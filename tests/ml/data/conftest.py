"""Fixtures of the tests of ``ml.data``."""

import shutil
from pathlib import Path

import pytest

from tests.ml.data.builders import write_clinic


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the data set ``clinic``; not to be changed."""
    root = tmp_path_factory.mktemp("data")
    write_clinic(root)
    return root


@pytest.fixture
def data(originals: Path, tmp_path: Path) -> Path:
    """A copy of ``originals``."""
    return Path(shutil.copytree(originals, tmp_path / "data"))
