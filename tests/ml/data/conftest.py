"""Fixtures of the tests of ``ml.data``."""

from pathlib import Path

import pytest

from tests.ml.data.builders import write_clinic


@pytest.fixture(scope="session")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a data set; not to be changed."""
    return write_clinic(tmp_path_factory.mktemp("data"))
