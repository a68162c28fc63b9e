"""Secrets come from the environment or from files, and a wrong one is named."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from drsite.environment import RENAMED, read_environment


def test_a_secret_is_read_from_its_file_without_the_line_end(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("s3cret value\n")
    assert read_environment({"SECRET_KEY_FILE": str(file)})["SECRET_KEY"] == "s3cret value"


@pytest.mark.parametrize(
    ("content", "also", "message"),
    [
        (None, {}, "cannot be read"),
        ("\n", {}, "is empty"),
        ("from-file", {"SECRET_KEY": "from-environment"}, "both set"),
    ],
)
def test_a_secret_file_that_cannot_serve_is_refused_with_a_sentence(
    tmp_path: Path, content: str | None, also: dict[str, str], message: str
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ImproperlyConfigured, match=message):
        read_environment({"SECRET_KEY_FILE": str(file), **also})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://dr@db:5432/dr", "postgres://dr:a%2Fb%40c@db:5432/dr"),
        ("postgres://dr:own@db:5432/dr", "postgres://dr:own@db:5432/dr"),
        ("sqlite:////srv/db.sqlite3", "sqlite:////srv/db.sqlite3"),
    ],
)
def test_a_password_told_apart_goes_into_an_address_without_one(url: str, expected: str) -> None:
    assert read_environment({"DATABASE_URL": url, "DATABASE_PASSWORD": "a/b@c"})["DATABASE_URL"] == expected


def test_one_password_serves_queue_and_cache() -> None:
    values = read_environment(
        {"REDIS_URL": "redis://redis:6379/0", "CACHE_URL": "redis://redis:6379/1", "REDIS_PASSWORD": "pass"}
    )
    assert (values["REDIS_URL"], values["CACHE_URL"]) == ("redis://:pass@redis:6379/0", "redis://:pass@redis:6379/1")


def test_a_file_may_not_name_what_is_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "debug"
    file.write_text("true")
    assert "DEBUG" not in read_environment({"DEBUG_FILE": str(file)})


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_renamed_variable_is_refused_with_its_new_name(old: str, new: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{old} is now called {new}"):
        read_environment({old: "value"})
