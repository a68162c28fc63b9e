"""The demo's folder: what is kept between starts, and what stops one."""

import stat
from pathlib import Path

import pytest

from screening.demo import server
from screening.demo.folder import (
    Credentials,
    DemoError,
    load_or_create_credentials,
    lock_folder,
    open_folder,
    read_credentials,
    settings_for,
)

KEY = "drk_chosen-by-a-person"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_random_credentials_are_kept_for_the_next_start(tmp_path: Path) -> None:
    first = load_or_create_credentials(tmp_path, {})
    assert load_or_create_credentials(tmp_path, {}) == first


def test_two_folders_never_share_random_credentials(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (load_or_create_credentials(tmp_path / name, {}) for name in ("one", "two"))
    assert one.password != two.password
    assert one.api_key != two.api_key
    assert len(one.password) >= 16


def test_given_credentials_take_the_place_of_the_kept_ones(tmp_path: Path) -> None:
    before = load_or_create_credentials(tmp_path, {})
    assert load_or_create_credentials(tmp_path, {"DEMO_PASSWORD": "given"}) == Credentials("given", before.api_key)
    assert load_or_create_credentials(tmp_path, {"DEMO_API_KEY": KEY}) == Credentials("given", KEY)
    assert read_credentials(tmp_path) == Credentials("given", KEY)


def test_a_password_may_hold_an_equals_sign(tmp_path: Path) -> None:
    load_or_create_credentials(tmp_path, {"DEMO_PASSWORD": "a=b=c"})
    assert load_or_create_credentials(tmp_path, {}).password == "a=b=c"


def test_only_the_owner_reads_credentials_and_secret_key(tmp_path: Path) -> None:
    folder = open_folder({"DEMO_DIR": str(tmp_path / "demo")})
    load_or_create_credentials(folder, {})
    settings_for(folder, {}, "127.0.0.1")
    assert [mode(folder), mode(folder / "credentials"), mode(folder / "secret_key")] == [0o700, 0o600, 0o600]


def test_a_damaged_credentials_file_is_written_again(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("passw")
    assert load_or_create_credentials(tmp_path, {}) == read_credentials(tmp_path)


@pytest.mark.parametrize(
    "environ", [{"DEMO_API_KEY": "short"}, {"DEMO_API_KEY": "with a space"}, {"DEMO_PASSWORD": "two\nlines"}]
)
def test_credentials_that_could_not_be_used_are_refused_with_a_sentence(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    with pytest.raises(DemoError, match=r"^DEMO_.*\.$"):
        load_or_create_credentials(tmp_path, environ)
    assert read_credentials(tmp_path) is None


def test_a_second_demo_is_kept_off_the_folder(tmp_path: Path) -> None:
    lock_folder(tmp_path)
    with pytest.raises(DemoError, match="running with the folder"):
        lock_folder(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DemoError, match="Set DEMO_DIR to another one"):
        open_folder({"DEMO_DIR": str(tmp_path / "file" / "demo")})


def test_the_callers_database_and_debug_mode_never_reach_the_demo(tmp_path: Path) -> None:
    shell = {"DATABASE_URL": "postgres://hospital/real", "DEBUG": "true", "REDIS_URL": "redis://hospital"}
    settings = settings_for(tmp_path, shell, "127.0.0.1")
    assert settings["DATABASE_URL"] == f"sqlite:///{tmp_path}/db.sqlite3"
    assert settings["DEBUG"] == "false"
    assert settings["REDIS_URL"].startswith("memory://")
    assert settings["ALLOWED_HOSTS"] == "localhost,127.0.0.1"


def test_the_secret_key_survives_a_restart(tmp_path: Path) -> None:
    first = settings_for(tmp_path, {}, "127.0.0.1")["SECRET_KEY"]
    assert len(first) >= 50
    assert settings_for(tmp_path, {}, "127.0.0.1")["SECRET_KEY"] == first


def test_the_welcome_has_address_password_and_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_DIR", str(tmp_path))
    monkeypatch.setattr(server, "bind", "0.0.0.0:8765")
    credentials = load_or_create_credentials(tmp_path, {})
    text = server.welcome()
    for expected in ("http://127.0.0.1:8765/", credentials.password, credentials.api_key, "photographer", "curl"):
        assert expected in text
    box = [line for line in text.splitlines() if line.startswith(("+", "|"))]
    assert len({len(line) for line in box}) == 1
