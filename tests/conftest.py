"""Fixtures of all tests: a site with users, a fake grader, a fake broker."""

import gc
import shutil
import sqlite3
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.sqlite3.creation import DatabaseCreation
from hypothesis import HealthCheck, settings

from drsite.celery import app as site_celery
from ml.bundle import default_bundle
from ml.errors import BundleError
from ml.serving.decoders import decoders, pool
from ml.vocabulary import ServedModel
from screening.models import Grading, Membership, Site, User
from screening.services import accounts, inference
from tests.builders import FakeBundle, FakeGrader, make_prediction
from tests.screening.databases import create_from_copy, flush_without_triggers
from tests.screening.factories import MembershipFactory, SiteFactory, UserFactory
from tests.screening.processes import (
    STALE_AFTER_S,
    RedisServer,
    StartWorker,
    environment,
    kill_group,
    start_celery_worker,
)

Role = Membership.Role
settings.register_profile("any_speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any_speed")


def pytest_configure() -> None:
    """Settings that a site must choose itself, and fast password hashes."""
    django_settings.SECRET_KEY = "tests-only-secret-key-of-more-than-fifty-characters-0123456789"
    django_settings.ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
    django_settings.SECURE_SSL_REDIRECT = False
    django_settings.SESSION_COOKIE_SECURE = django_settings.CSRF_COOKIE_SECURE = False
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    django_settings.STORAGES = {
        **django_settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


LONG_FIRST = (
    "tests/browser/",
    "tests/ml/training/",
    "tests/screening/year/",
    "tests/hostile/",
    "tests/drsite/",
    "tests/ml/cli/",
    "tests/ml/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: with several processes, none is left alone with a long file at the end."""
    items.sort(key=lambda item: [not item.nodeid.startswith(folder) for folder in LONG_FIRST])


def pytest_collection_finish() -> None:
    """Collect garbage less often, and without visits to the modules and tests, which stay: a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """The migrations are not repeated in each process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseCreation, "create_test_db", create_from_copy)
        yield


@pytest.fixture(autouse=True, scope="session")
def _append_only_tables_may_be_flushed() -> Iterator[None]:
    """Between transactional tests Django empties all tables: the triggers are dropped for that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", flush_without_triggers)
        yield


@pytest.fixture(autouse=True)
def media_root(settings: Any, tmp_path: Path) -> Path:
    """An empty folder for each test's photographs."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture(autouse=True)
def _no_requests_are_counted() -> None:
    """Rate limits start at zero in each test."""
    cache.clear()


@pytest.fixture(autouse=True, scope="session")
def _files_are_decoded_here() -> None:
    """Faults are then easier to inject; tests of the child processes use ``decoder_processes``."""
    decoders.use_processes(0)


@pytest.fixture
def decoder_processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two child processes, as a site has, with more time on a busy machine."""
    for name in ("START_S", "MAX_WAIT_S", "MAX_FILE_S"):
        monkeypatch.setattr(pool, name, 120.0)
    decoders.use_processes(2)
    yield
    decoders.use_processes(0)


@pytest.fixture(autouse=True)
def fake_grader(monkeypatch: pytest.MonkeyPatch) -> FakeGrader:
    """The grader and the bundle of this process, replaced; set ``prediction`` or ``error`` for its result."""
    grader = FakeGrader(make_prediction(2))
    monkeypatch.setattr("screening.services.inference.current_grader", lambda _model: grader)
    monkeypatch.setattr("screening.services.inference.current_bundle", lambda _model: grader.bundle)
    return grader


@pytest.fixture
def graders(monkeypatch: pytest.MonkeyPatch) -> dict[ServedModel, FakeGrader]:
    """A fake grader of each model, which grades 2 (accurate) or 0 (fast)."""
    fakes = {}
    for model, grade in zip(ServedModel, (2, 0), strict=True):
        version = f"{model}-1.0.0+00000000"
        prediction = make_prediction(grade, model_version=version)
        fakes[model] = FakeGrader(prediction, bundle=FakeBundle(model_version=version))
    monkeypatch.setattr("screening.services.inference.current_grader", fakes.__getitem__)
    monkeypatch.setattr("screening.services.inference.current_bundle", lambda model: fakes[model].bundle)
    return fakes


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """Ids of the gradings that were published; nothing is sent to a broker."""
    sent: list[uuid.UUID] = []

    def publish(grading: Grading) -> bool:
        sent.append(grading.pk)
        return True

    monkeypatch.setattr("screening.services.grading_queue.publish", publish)
    return sent


@pytest.fixture
def mail_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notices are sent at once, in this process, to ``mail.outbox``."""

    def send(user_id: uuid.UUID) -> None:
        accounts.send_lockout_notice(user_id=user_id)

    monkeypatch.setattr("screening.services.accounts._publish_lockout_notice", send)
    monkeypatch.setattr("screening.services.accounts.transaction.on_commit", lambda function: function())


@pytest.fixture
def released_bundle() -> None:
    """For tests that use a released bundle; skips if there is none. A broken one fails them."""
    try:
        default_bundle()
    except BundleError as error:
        pytest.skip(str(error))


@pytest.fixture
def shared_database(transactional_db: None, tmp_path: Path) -> Iterator[str]:
    """``DATABASE_URL`` of a database that other threads and processes share with the test.

    SQLite's test database is in the memory of one connection: the test uses a copy of it in a file.
    """
    in_memory: Any = connections[DEFAULT_DB_ALIAS]
    values = in_memory.settings_dict
    if in_memory.vendor != "sqlite":
        address = f"{values['HOST']}:{values['PORT']}" if values["PORT"] else values["HOST"]
        yield f"postgres://{values['USER']}:{values['PASSWORD']}@{address}/{values['NAME']}"
        return
    in_memory.ensure_connection()
    file, name = tmp_path / "shared.sqlite3", values["NAME"]
    with closing(sqlite3.connect(file)) as copy:
        in_memory.connection.backup(copy)
    values["NAME"] = str(file)  # NB: the connections of all threads read this one dict
    del connections[DEFAULT_DB_ALIAS]
    yield f"sqlite:///{file}"
    connections[DEFAULT_DB_ALIAS].close()
    values["NAME"] = name
    connections[DEFAULT_DB_ALIAS] = in_memory


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def workers_version(monkeypatch: pytest.MonkeyPatch, released_bundle: None) -> None:
    """Photographs are queued for the version of the workers, which load the released bundles."""
    monkeypatch.setattr("screening.services.inference.current_bundle", inference.read_own_bundle)


@pytest.fixture
def start_worker(shared_database: str, workers_version: None, settings: Any, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts ``celery -A drsite worker``, as a site does; it logs to ``worker.log``."""
    options = {"MEDIA_ROOT": str(settings.MEDIA_ROOT), "GRADING_STALE_AFTER_S": str(STALE_AFTER_S)}
    started = []

    def start(broker_url: str, name: str = "faults", **more: str) -> "subprocess.Popen[bytes]":
        of_the_site = environment(shared_database, REDIS_URL=broker_url, **options, **more)
        started.append(start_celery_worker(tmp_path / "worker.log", of_the_site, "--hostname", f"{name}@here"))
        return started[-1]

    yield start
    for worker in started:
        kill_group(worker)


@pytest.fixture
def celery_at() -> Iterator[Callable[..., Celery]]:
    """Makes a Celery app with the site's settings and tasks, at the broker of a URL, the current app."""

    def connect(broker_url: str, **conf: Any) -> Celery:
        app = Celery("tests")
        app.config_from_object("django.conf:settings", namespace="CELERY")
        app.conf.update(broker_url=broker_url, **conf)
        app.autodiscover_tasks(force=True)
        app.set_default()  # for threads that start later
        return app

    yield connect
    site_celery.set_current()
    site_celery.set_default()


@pytest.fixture
def site(db: None) -> Site:
    return SiteFactory(name="Harbour Clinic", code="harbour", reading_mode=Site.ReadingMode.SIDE_BY_SIDE)


@pytest.fixture
def other_site(db: None) -> Site:
    return SiteFactory(name="Hill Clinic", code="hill")


def _person(username: str, role: Membership.Role, site: Site) -> User:
    return MembershipFactory(user=UserFactory(username=username), site=site, role=role).user


@pytest.fixture
def photographer(site: Site) -> User:
    return _person("photographer", Role.PHOTOGRAPHER, site)


@pytest.fixture
def reviewer(site: Site) -> User:
    return _person("reviewer", Role.REVIEWER, site)


@pytest.fixture
def manager(site: Site) -> User:
    return _person("manager", Role.MANAGER, site)


@pytest.fixture
def outsider(other_site: Site) -> User:
    """Holds every role, at another site."""
    user = _person("outsider", Role.PHOTOGRAPHER, other_site)
    for role in (Role.REVIEWER, Role.MANAGER):
        MembershipFactory(user=user, site=other_site, role=role)
    return user
