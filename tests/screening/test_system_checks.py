"""System checks name a wrong setting and what to do."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.db.migrations.recorder import MigrationRecorder

from ml.bundle import default_bundle
from ml.vocabulary import ServedModel
from screening import secret_strength, system_checks
from screening.system_checks import (
    check_broker,
    check_bundle,
    check_exam_lock,
    check_media_root,
    check_metrics_token,
    check_secret_key,
    check_server_passwords,
    check_time_limits,
)

pytestmark = pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")  # the checks only read it
Check = Callable[..., Sequence[CheckMessage]]
STRONG = "q8ZrV1nXw5tKc3LyPb7HdMf2SgJa9UeTo4RiNxWk6BvCz0YhQmDs"
STRONG_PASSWORD = STRONG[:20]


def database_at(host: str, password: str) -> dict[str, Any]:
    return {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": host, "PASSWORD": password}}


def ids(check: Check) -> list[str]:
    found = check()
    assert all(message.hint for message in found)
    return [str(message.id) for message in found]


@pytest.mark.parametrize(
    ("check", "values", "expected"),
    [
        (check_secret_key, {"SECRET_KEY": ""}, ["E001"]),
        (check_secret_key, {"SECRET_KEY": "short"}, ["E002"]),
        (check_secret_key, {"SECRET_KEY": STRONG}, []),
        (check_secret_key, {"SECRET_KEY": "", "DEBUG": True}, []),
        (check_metrics_token, {"METRICS_TOKEN": "short"}, ["E008"]),
        (check_metrics_token, {"METRICS_TOKEN": ""}, []),
        (check_metrics_token, {"METRICS_TOKEN": STRONG}, []),
        (check_server_passwords, {"DATABASES": database_at("db", "")}, ["E009"]),
        (check_server_passwords, {"DATABASES": database_at("db", "postgres")}, ["E009"]),
        (check_server_passwords, {"DATABASES": database_at("db", STRONG_PASSWORD)}, []),
        (check_server_passwords, {"DATABASES": database_at("127.0.0.1", "")}, []),
        (check_server_passwords, {"DATABASES": database_at("/run/postgresql", "")}, []),
        (check_server_passwords, {"DATABASES": database_at("db", ""), "DEBUG": True}, []),
        (check_server_passwords, {"CELERY_BROKER_URL": "redis://redis:6379/0"}, ["E010"]),
        (check_server_passwords, {"CELERY_BROKER_URL": "redis://:short@redis/0"}, ["E010"]),
        (check_server_passwords, {"CELERY_BROKER_URL": f"redis://:{STRONG_PASSWORD}@redis:6379/0"}, []),
        (check_broker, {"CELERY_BROKER_URL": "memory://", "SITE_IS_DEMO": False}, ["W006"]),
        (check_broker, {"CELERY_BROKER_URL": "memory://", "SITE_IS_DEMO": True}, []),
        (check_broker, {"CELERY_BROKER_URL": "redis://broker:6379/0"}, []),
        (check_time_limits, {"GRADING_STALE_AFTER_S": 60}, ["E007"]),
        (check_exam_lock, {"EXAM_LOCK_MINUTES": 0}, ["E011"]),
        (check_exam_lock, {"EXAM_LOCK_MINUTES": 1}, []),
        (check_time_limits, {"GRADING_STALE_AFTER_S": 90}, []),
        (check_media_root, {}, []),
    ],
)
def test_a_wrong_setting_is_reported(settings: Any, check: Check, values: dict[str, Any], expected: list[str]) -> None:
    for name, value in {"DEBUG": False, "CELERY_BROKER_URL": "memory://", **values}.items():
        setattr(settings, name, value)
    assert ids(check) == [f"screening.{number}" for number in expected]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "is missing"),
        ("short", "has 5 characters"),
        ("ab" * 40, "has 2 different characters"),
        ("insecure-" + STRONG, "a placeholder"),
        ("secret" + STRONG, "a placeholder"),
        (STRONG + "-Change-Me", "a placeholder"),
        (STRONG, ""),
    ],
)
def test_a_weak_secret_is_named_with_what_to_do(value: str, reason: str) -> None:
    sentence = secret_strength.weakness("SECRET_KEY", value)
    assert reason in sentence
    assert bool(reason) == sentence.startswith("SECRET_KEY is ") == ("openssl rand" in sentence)


@pytest.mark.parametrize("password", ["aaaaaabcdefg", "qwertzuiop1234", "clinic-clinic-1"])
def test_an_administrator_s_password_that_is_easy_to_guess_is_named(password: str) -> None:
    assert "ADMIN_PASSWORD is weak" in secret_strength.weakness("ADMIN_PASSWORD", password)
    assert secret_strength.weakness("ADMIN_PASSWORD", "brisk-lantern-otter") == ""


def test_a_server_does_not_start_with_weak_secrets(settings: Any) -> None:
    settings.SECRET_KEY, settings.METRICS_TOKEN = STRONG, STRONG[::-1]
    system_checks.require_strong_secrets()
    settings.SECRET_KEY, settings.METRICS_TOKEN = "short", "short"
    with pytest.raises(ImproperlyConfigured, match=r"SECRET_KEY is weak.*METRICS_TOKEN is weak"):
        system_checks.require_strong_secrets()


@pytest.fixture
def bundle(settings: Any, tmp_path: Path, released_bundle: None) -> Path:
    """The released bundle with a few bytes as graph and weights."""
    content = json.loads((default_bundle() / "bundle.json").read_text())
    for name, file in (("graph", "model.onnx"), ("weights", "weights.safetensors")):
        (tmp_path / file).write_text(name)
        content[name]["sha256"] = hashlib.sha256(name.encode()).hexdigest()
    (tmp_path / "bundle.json").write_text(json.dumps(content))
    settings.MODEL_BUNDLES = {**settings.MODEL_BUNDLES, ServedModel.FAST: str(tmp_path)}
    return tmp_path


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("weights.safetensors", b"weights", []),
        ("weights.safetensors", b"Weights", ["screening.E003"]),
        ("weights.safetensors", None, ["screening.E003"]),
        ("model.onnx", b"Graph", ["screening.E003"]),
        ("bundle.json", None, ["screening.E003"]),
    ],
)
def test_missing_or_altered_weights_are_reported(
    bundle: Path, file: str, content: bytes | None, expected: list[str]
) -> None:
    if content is None:
        (bundle / file).unlink()
    else:
        (bundle / file).write_bytes(content)
    assert ids(check_bundle) == expected


def test_photographs_in_the_static_folder_are_reported(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT, settings.MEDIA_ROOT = tmp_path / "static", tmp_path / "static" / "media"
    assert ids(check_media_root) == ["screening.E004"]


def test_a_media_root_that_is_a_file_is_reported(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "media").touch()
    settings.MEDIA_ROOT = tmp_path / "media" / "photos"
    assert ids(check_media_root) == ["screening.E005"]


def test_a_database_with_some_of_the_joined_migrations_is_refused(db: None) -> None:
    assert system_checks.check_first_migrations(databases=["default"]) == []
    MigrationRecorder.Migration.objects.filter(app="screening", name="0063_files_of_letter_batches").delete()
    (error,) = system_checks.check_first_migrations(databases=["default"])
    assert (error.id, "0.2.0" in error.msg) == ("screening.E013", True)
