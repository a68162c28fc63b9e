"""The folder of the demo: locked, private, and independent of the shell."""

import stat
from pathlib import Path

import pytest

from screening.demo.credentials import load_or_create_credentials
from screening.demo.folder import DemoError, lock_folder, open_folder, settings_for


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    folder = open_folder({"DEMO_DIR": str(tmp_path / "demo")})
    load_or_create_credentials(folder, {})
    settings_for(folder, {}, "127.0.0.1")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "credentials", folder / "secret_key")]
    assert modes == [0o700, 0o600, 0o600]


def test_a_second_demo_cannot_use_the_folder(tmp_path: Path) -> None:
    lock_folder(tmp_path)
    with pytest.raises(DemoError, match="running with the folder"):
        lock_folder(tmp_path)


def test_a_folder_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DemoError, match="Set DEMO_DIR to another one"):
        open_folder({"DEMO_DIR": str(tmp_path / "file" / "demo")})


def test_settings_of_the_shell_are_replaced(tmp_path: Path) -> None:
    shell = {"DATABASE_URL": "postgres://hospital/real", "DEBUG": "true", "REDIS_URL": "redis://hospital"}
    settings = settings_for(tmp_path, shell, "127.0.0.1")
    assert settings["DATABASE_URL"] == f"sqlite:///{tmp_path}/db.sqlite3"
    assert settings["DEBUG"] == "false"
    assert settings["REDIS_URL"].startswith("memory://")
    assert settings["ALLOWED_HOSTS"] == "localhost,127.0.0.1"


def test_the_secret_key_is_kept(tmp_path: Path) -> None:
    first, second = (settings_for(tmp_path, {}, "127.0.0.1")["SECRET_KEY"] for _ in range(2))
    assert first == second
    assert len(first) >= 50
