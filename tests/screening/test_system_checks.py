"""A wrong setting is named at start-up, with what to do."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured

from ml.serving.preprocess import PREPROCESSING_VERSION
from screening import system_checks

pytestmark = pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")  # the checks only look at it
Check = Callable[..., Sequence[CheckMessage]]
STRONG = "q8ZrV1nXw5tKc3LyPb7HdMf2SgJa9UeTo4RiNxWk6BvCz0YhQmDs"


GOOD_PASSWORD = "7f3a9c51d2e8b604a71c"


def database_at(host: str, password: str) -> dict[str, Any]:
    return {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": host, "PASSWORD": password}}


def ids(check: Check) -> list[str]:
    found = check()
    assert all(message.hint for message in found)
    return [str(message.id) for message in found]


@pytest.mark.parametrize(
    ("check", "wrong", "expected"),
    [
        (system_checks.check_secret_key, {"SECRET_KEY": ""}, "screening.E001"),
        (system_checks.check_secret_key, {"SECRET_KEY": "short"}, "screening.E002"),
        (system_checks.check_secret_key, {"SECRET_KEY": "ab" * 40}, "screening.E002"),
        (system_checks.check_secret_key, {"SECRET_KEY": "insecure-" + STRONG}, "screening.E002"),
        (system_checks.check_secret_key, {"SECRET_KEY": "change-me-" + STRONG}, "screening.E002"),
        (system_checks.check_metrics_token, {"METRICS_TOKEN": "short"}, "screening.E008"),
        (system_checks.check_metrics_token, {"METRICS_TOKEN": "secret" + STRONG}, "screening.E008"),
        (system_checks.check_server_passwords, {"DATABASES": database_at("db", "")}, "screening.E009"),
        (system_checks.check_server_passwords, {"DATABASES": database_at("db", "postgres")}, "screening.E009"),
        (system_checks.check_server_passwords, {"CELERY_BROKER_URL": "redis://redis:6379/0"}, "screening.E010"),
        (
            system_checks.check_server_passwords,
            {"CELERY_BROKER_URL": "redis://:aaaaaaaaaaaaaaaaaaaaaaaa@redis/0"},
            "screening.E010",
        ),
        (system_checks.check_broker, {"CELERY_BROKER_URL": "memory://", "SITE_IS_DEMO": False}, "screening.W006"),
        (system_checks.check_time_limits, {"GRADING_STALE_AFTER_S": 60}, "screening.E007"),
    ],
)
def test_a_wrong_setting_is_named(settings: Any, check: Check, wrong: dict[str, Any], expected: str) -> None:
    settings.DEBUG = False
    settings.CELERY_BROKER_URL = "memory://"
    for name, value in wrong.items():
        setattr(settings, name, value)
    assert ids(check) == [expected]


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (system_checks.check_secret_key, {"SECRET_KEY": STRONG}),
        (system_checks.check_secret_key, {"SECRET_KEY": "", "DEBUG": True}),
        (system_checks.check_metrics_token, {"METRICS_TOKEN": ""}),
        (system_checks.check_metrics_token, {"METRICS_TOKEN": STRONG}),
        (system_checks.check_server_passwords, {"DATABASES": database_at("db", GOOD_PASSWORD)}),
        (system_checks.check_server_passwords, {"DATABASES": database_at("127.0.0.1", "")}),
        (system_checks.check_server_passwords, {"DATABASES": database_at("/run/postgresql", "")}),
        (system_checks.check_server_passwords, {"CELERY_BROKER_URL": f"redis://:{GOOD_PASSWORD}@redis:6379/0"}),
        (system_checks.check_server_passwords, {"DATABASES": database_at("db", ""), "DEBUG": True}),
        (system_checks.check_broker, {"CELERY_BROKER_URL": "memory://", "SITE_IS_DEMO": True}),
        (system_checks.check_broker, {"CELERY_BROKER_URL": "redis://broker:6379/0"}),
        (system_checks.check_time_limits, {"GRADING_STALE_AFTER_S": 90}),
        (system_checks.check_media_root, {}),
    ],
)
def test_a_right_setting_is_passed_over(settings: Any, check: Check, right: dict[str, Any]) -> None:
    for name, value in right.items():
        setattr(settings, name, value)
    assert ids(check) == []


def test_a_server_does_not_start_with_weak_secrets_and_says_all_that_is_wrong(settings: Any) -> None:
    settings.SECRET_KEY, settings.METRICS_TOKEN = "short", "short"
    with pytest.raises(ImproperlyConfigured, match=r"SECRET_KEY is weak.*openssl rand.*METRICS_TOKEN is weak"):
        system_checks.require_strong_secrets()


def test_a_server_starts_with_strong_secrets(settings: Any) -> None:
    settings.SECRET_KEY, settings.METRICS_TOKEN = STRONG, STRONG[::-1]
    system_checks.require_strong_secrets()


def make_bundle(folder: Path, weights: bytes = b"weights") -> Path:
    """A bundle as ``ml`` writes it, with a few bytes for its network."""
    frame = {"image_size": 64, "mean": [0.5] * 3, "std": [0.5] * 3, "preprocessing_version": PREPROCESSING_VERSION}
    content = {
        "name": "toy",
        "version": "0.0.1",
        "architecture": "mobilenet_v3_small",
        "input": frame,
        "classes": [str(grade) for grade in range(5)],
        "calibration": {"temperature": 1.0, "bias": [0.0] * 5},
        "cutpoints": [],
        "operating_point": 0.5,
        "heatmap_full_scale": 1.0,
        "graph": {"sha256": hashlib.sha256(b"graph").hexdigest()},
        "weights": {"sha256": hashlib.sha256(weights).hexdigest()},
        "training": {},
        "metrics": {},
    }
    folder.mkdir()
    (folder / "bundle.json").write_text(json.dumps(content))
    (folder / "model.onnx").write_bytes(b"graph")
    (folder / "weights.safetensors").write_bytes(weights)
    return folder


def test_a_whole_bundle_is_passed_over(settings: Any, tmp_path: Path) -> None:
    settings.MODEL_BUNDLE = str(make_bundle(tmp_path / "toy"))
    assert ids(system_checks.check_bundle) == []


def lose_the_weights(bundle: Path) -> None:
    (bundle / "weights.safetensors").unlink()


def alter_the_weights(bundle: Path) -> None:
    (bundle / "weights.safetensors").write_bytes(b"Weights")


def lose_the_description(bundle: Path) -> None:
    (bundle / "bundle.json").unlink()


@pytest.mark.parametrize("harm", [lose_the_weights, alter_the_weights, lose_the_description])
def test_missing_or_altered_weights_stop_the_start(settings: Any, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    bundle = make_bundle(tmp_path / "toy")
    harm(bundle)
    settings.MODEL_BUNDLE = str(bundle)
    assert ids(system_checks.check_bundle) == ["screening.E003"]


def test_photographs_under_the_static_folder_are_refused(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.MEDIA_ROOT = tmp_path / "static" / "media"
    assert ids(system_checks.check_media_root) == ["screening.E004"]


def test_a_media_folder_that_is_a_file_is_refused(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "media").write_text("not a folder")
    settings.MEDIA_ROOT = tmp_path / "media" / "photos"
    assert ids(system_checks.check_media_root) == ["screening.E005"]
