"""Health checks report states and no details; heartbeats of workers expire."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from ml.bundle import default_bundle
from ml.errors import BundleError
from ml.vocabulary import ServedModel
from screening.health import checks, worker_heartbeat
from screening.selectors.sites import list_served_models
from screening.services import inference
from tests.screening.factories import GradingFactory, SiteFactory

ALL_OK = dict.fromkeys(checks.COMPONENTS, "ok")


@pytest.fixture(autouse=True)
def healthy(monkeypatch: pytest.MonkeyPatch, settings: Any, fake_grader: Any) -> None:
    settings.CELERY_BROKER_URL = "memory://"
    inference._verified.cache_clear()
    monkeypatch.setattr("screening.services.inference.read_own_bundle", lambda _model, *, verify: fake_grader.bundle)


@pytest.fixture
def fake_redis(settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Keys of a fake Redis."""
    keys: dict[str, str] = {}

    class Redis:
        def __enter__(self) -> "Redis":
            return self

        def __exit__(self, *_error: object) -> None: ...

        def ping(self) -> None: ...

        def set(self, key: str, value: str, *, ex: int) -> None:
            assert ex == worker_heartbeat.HEARTBEAT_TTL_S
            keys[key] = value

        def delete(self, key: str) -> None:
            keys.pop(key, None)

        def mget(self, names: list[str]) -> list[str | None]:
            return [keys.get(name) for name in names]

        def scan_iter(self, *, match: str, count: int) -> Iterator[str]:
            return iter([key for key in keys if key.startswith(match.removesuffix("*"))])

    settings.CELERY_BROKER_URL = "redis://broker:6379/0"
    monkeypatch.setattr("screening.health.worker_heartbeat.connect_broker", Redis)
    monkeypatch.setattr("screening.health.worker_heartbeat._recorded", {})
    return keys


def test_liveness_needs_no_log_in_and_no_known_host(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["screening.example.org"]
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/health/live", headers={"Host": "web:8000"})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert client.get("/login/", headers={"Host": "web:8000"}).status_code == 400
    assert client.post("/health/live").status_code == client.post("/health/ready").status_code == 405


@pytest.mark.django_db
def test_readiness_names_the_components(client: Client) -> None:
    response = client.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ok", **ALL_OK})


def break_database(monkeypatch: pytest.MonkeyPatch, _settings: Any) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("password authentication failed")

    monkeypatch.setattr(connection, "cursor", fail)


def break_broker(_monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.CELERY_BROKER_URL = "redis://:password@127.0.0.1:1/0"


def break_bundle(monkeypatch: pytest.MonkeyPatch, _settings: Any) -> None:
    def fail(_model: ServedModel, *, verify: bool) -> None:
        raise BundleError("/srv/password is not a bundle")

    monkeypatch.setattr("screening.services.inference.read_own_bundle", fail)


def fill_storage(monkeypatch: pytest.MonkeyPatch, _settings: Any) -> None:
    usage = SimpleNamespace(free=checks.MIN_FREE_BYTES - 1)
    monkeypatch.setattr("screening.health.checks.shutil.disk_usage", lambda _folder: usage)


@pytest.mark.django_db
@pytest.mark.parametrize("break_component", [break_database, break_broker, break_bundle, fill_storage])
def test_an_unavailable_component_is_named_without_details(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Any, break_component: Callable[..., None]
) -> None:
    break_component(monkeypatch, settings)
    response = client.get("/health/ready")
    assert response.status_code == 503
    component = break_component.__name__.partition("_")[2]
    assert (response.json()[component], response.json()["status"]) == ("unavailable", "unavailable")
    assert "password" not in response.content.decode()


@pytest.mark.django_db
def test_without_a_worker_the_site_is_degraded_and_ready(client: Client, fake_redis: dict[str, str]) -> None:
    response = client.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "degraded", **ALL_OK, "worker": "unavailable"})
    worker_heartbeat.record_heartbeat("celery@one")
    assert client.get("/health/ready").json() == {"status": "ok", **ALL_OK}
    worker_heartbeat.clear_heartbeat("celery@one")
    assert client.get("/health/ready").json()["worker"] == "unavailable"


@pytest.mark.django_db
def test_a_worker_without_its_model_is_reported(client: Client, fake_redis: dict[str, str]) -> None:
    worker_heartbeat.record_heartbeat("celery@one", is_grading=False)
    assert client.get("/health/ready").json() == {"status": "degraded", **ALL_OK, "worker": "unavailable"}
    worker_heartbeat.record_heartbeat("celery@two")
    response = client.get("/health/ready")
    assert (response.status_code, response.json()["worker"]) == (200, "degraded")
    with pytest.raises(checks.HealthCheckError, match=r"1 of 2 cannot load the model .*celery@one"):
        checks.check_worker()


@pytest.mark.django_db
@pytest.mark.parametrize("model", ServedModel)
def test_altered_weights_of_a_model_in_use_are_noticed_before_the_site_is_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path, model: ServedModel
) -> None:
    monkeypatch.undo()
    folder = Path(shutil.copytree(default_bundle(model), tmp_path / "bundle"))
    settings.MODEL_BUNDLES = {**settings.MODEL_BUNDLES, model: str(folder)}
    assert client.get("/health/ready").json()["bundle"] == "ok"
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    response = client.get("/health/ready")
    assert (response.status_code, response.json()["bundle"]) == (503, "unavailable")
    SiteFactory(model="fast")
    is_in_use = model is ServedModel.FAST
    assert client.get("/health/ready").json()["bundle"] == ("unavailable" if is_in_use else "ok")
    settings.GRADING_MODELS = tuple(other for other in ServedModel if other is not model)
    assert client.get("/health/ready").json()["bundle"] == "ok", "a model that is not installed is not read"


@pytest.mark.django_db
def test_the_models_in_use_are_those_of_active_sites_and_of_predictions(settings: Any) -> None:
    accurate, fast = ServedModel
    assert list_served_models() == [accurate, fast], "the first site will have the accurate one"
    SiteFactory(model="fast")
    SiteFactory(model="accurate", is_active=False)
    assert list_served_models() == [fast]
    SiteFactory(model="accurate")
    assert list_served_models() == [accurate, fast]
    settings.GRADING_MODELS = (fast,)
    assert list_served_models() == [fast]
    settings.GRADING_MODELS = (accurate,)
    assert list_served_models() == [accurate]


def test_heartbeats_are_written_at_most_once_an_interval(
    fake_redis: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("screening.health.worker_heartbeat.time.monotonic", lambda: now)
    for name in ("celery@two", "celery@one", "celery@two"):
        worker_heartbeat.record_heartbeat(name)
    assert worker_heartbeat.list_live_workers() == {"celery@one": True, "celery@two": True}
    fake_redis.clear()
    worker_heartbeat.record_heartbeat("celery@one")
    assert fake_redis == {}
    now += worker_heartbeat.HEARTBEAT_INTERVAL_S
    worker_heartbeat.record_heartbeat("celery@one")
    assert worker_heartbeat.list_live_workers() == {"celery@one": True}
    worker_heartbeat.record_heartbeat("celery@one", is_grading=False)
    assert worker_heartbeat.list_live_workers() == {"celery@one": False}, "a change is written at once"


def test_a_worker_continues_while_the_broker_is_unavailable(settings: Any) -> None:
    settings.CELERY_BROKER_URL = "redis://:password@127.0.0.1:1/0"
    worker_heartbeat.record_heartbeat("celery@one")
    worker_heartbeat.clear_heartbeat("celery@one")


@pytest.mark.django_db
def test_a_photograph_that_waits_too_long_makes_the_queue_late(client: Client, settings: Any) -> None:
    settings.QUEUE_LATE_AFTER_S = 300
    grading = GradingFactory(queued_at=timezone.now() - timedelta(seconds=299))
    assert client.get("/health/ready").json()["queue"] == "ok"
    GradingFactory(queued_at=timezone.now() - timedelta(hours=5), is_bulk=True)  # no user waits for it
    assert client.get("/health/ready").json()["queue"] == "ok"
    grading.queued_at = timezone.now() - timedelta(seconds=302)
    grading.save()
    response = client.get("/health/ready")
    assert (response.status_code, response.json()["queue"], response.json()["status"]) == (200, "late", "degraded")
