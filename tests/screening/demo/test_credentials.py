"""Credentials of the demo: random or chosen, kept between starts."""

from pathlib import Path

import pytest

from screening.demo import server
from screening.demo.credentials import Credentials, load_or_create_credentials, read_credentials
from screening.demo.folder import DemoError

KEY = "drk_chosen-by-a-person"


def test_random_credentials_are_kept_and_differ_between_folders(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first, second, other = (load_or_create_credentials(tmp_path / name, {}) for name in (".", ".", "other"))
    assert first == second
    assert first.password != other.password
    assert first.api_key != other.api_key
    assert len(first.password) >= 16


def test_chosen_credentials_replace_the_last_ones(tmp_path: Path) -> None:
    last = load_or_create_credentials(tmp_path, {})
    assert load_or_create_credentials(tmp_path, {"DEMO_PASSWORD": "a=b=c"}) == Credentials("a=b=c", last.api_key)
    assert load_or_create_credentials(tmp_path, {"DEMO_API_KEY": KEY}) == Credentials("a=b=c", KEY)
    assert read_credentials(tmp_path) == Credentials("a=b=c", KEY)


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("passw")
    assert load_or_create_credentials(tmp_path, {}) == read_credentials(tmp_path)


@pytest.mark.parametrize(
    "environ", [{"DEMO_API_KEY": "short"}, {"DEMO_API_KEY": "with a space"}, {"DEMO_PASSWORD": "two\nlines"}]
)
def test_unusable_credentials_are_refused(tmp_path: Path, environ: dict[str, str]) -> None:
    with pytest.raises(DemoError, match=r"^DEMO_.*\.$"):
        load_or_create_credentials(tmp_path, environ)
    assert read_credentials(tmp_path) is None


def test_the_welcome_shows_address_and_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_DIR", str(tmp_path))
    monkeypatch.setattr(server, "bind", "0.0.0.0:8765")
    credentials = load_or_create_credentials(tmp_path, {})
    text = server.welcome(is_synthetic=True)
    for expected in ("http://127.0.0.1:8765/", credentials.password, credentials.api_key, "photographer", "curl"):
        assert expected in text
    assert len({len(line) for line in text.splitlines() if line.startswith(("+", "|"))}) == 1
