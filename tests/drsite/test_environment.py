"""Variables, secrets in files, passwords of servers."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from drsite.environment import RENAMED, Environment, served_models


def test_a_variable_is_read_from_its_file_without_the_line_end(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("s3cret value\n")
    environment = Environment({"SECRET_KEY_FILE": str(file), "DEBUG": "true", "MEDIA_ROOT": ""})
    assert (environment["SECRET_KEY"], environment["DEBUG"]) == ("s3cret value", "true")
    assert "MEDIA_ROOT" not in environment, "an empty variable counts as not set"


@pytest.mark.parametrize(
    ("content", "other", "message"),
    [
        (None, {}, "cannot be read"),
        (b"\xff", {}, "cannot be read"),
        (b"\n", {}, "is empty"),
        (b"from-file", {"SECRET_KEY": "from-environment"}, "both set"),
    ],
)
def test_an_unusable_file_is_refused(
    tmp_path: Path, content: bytes | None, other: dict[str, str], message: str
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ImproperlyConfigured, match=rf"^SECRET_KEY.*{message}.*\.$"):
        Environment({"SECRET_KEY_FILE": str(file), **other})["SECRET_KEY"]


@pytest.mark.parametrize(
    ("name", "url", "expected"),
    [
        ("DATABASE_URL", "postgres://dr@db:5432/dr", "postgres://dr:a%2Fb%40c@db:5432/dr"),
        ("DATABASE_URL", "postgres://dr:own@db:5432/dr", "postgres://dr:own@db:5432/dr"),
        ("DATABASE_URL", "sqlite:////srv/db.sqlite3", "sqlite:////srv/db.sqlite3"),
        ("REDIS_URL", "redis://redis:6379/0", "redis://:a%2Fb%40c@redis:6379/0"),
        ("REDIS_URL", "memory://", "memory://"),
        ("CACHE_URL", "redis://redis:6379/1", "redis://:a%2Fb%40c@redis:6379/1"),
    ],
)
def test_a_separate_password_is_inserted_into_a_url_without_one(name: str, url: str, expected: str) -> None:
    passwords = {"DATABASE_PASSWORD": "a/b@c", "REDIS_PASSWORD": "a/b@c"}
    assert Environment({name: url, **passwords})[name] == expected
    assert Environment({name: url})[name] == url


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_name_is_refused_with_the_new_one(old: str, new: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^{old} is now called {new}. Set {new} instead.$"):
        Environment({old: ""})


@pytest.mark.parametrize("names", [["accurate", "fast"], ["fast", "accurate"], ["fast"], ["accurate"]])
def test_the_models_of_the_installation_are_named(names: list[str]) -> None:
    assert served_models(names) == tuple(sorted(names))


@pytest.mark.parametrize(("names", "found"), [(["fast", "slow"], "names slow"), ([], "names no model")])
def test_an_unknown_model_is_refused(names: list[str], found: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^GRADING_MODELS {found}\. Set it to accurate,fast or"):
        served_models(names)
