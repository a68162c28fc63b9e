"""Files to send: generated ones, or those of the folder HOSTILE_DIR."""

import os
from pathlib import Path

import pytest

from tests.hostile.files import hostile_files


@pytest.fixture(scope="session")
def hostile_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files."""
    if chosen := os.environ.get("HOSTILE_DIR"):
        return Path(chosen)
    folder = tmp_path_factory.mktemp("hostile")
    for name, data in hostile_files().items():
        (folder / name).write_bytes(data)
    return folder
