"""Fixtures of the tests of ``ml``."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real photographs; the test is skipped where there is none."""
    here = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("DR_DATA_DIR") or here.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real photographs: {folder} is not a folder (set DR_DATA_DIR)")
    return folder
