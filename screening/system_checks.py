"""Django system checks of the settings. ``manage.py check``, ``runserver`` and ``migrate`` run them."""

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from ml.errors import BundleError
from screening.secret_strength import weakness
from screening.services import inference

_JOINED_MIGRATIONS = "screening.migrations.0001_squashed_0063_files_of_letter_batches"
_LOCAL_HOSTS = frozenset({"", "localhost", "127.0.0.1", "::1"})


@register(Tags.security)
def check_secret_key(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E001, E002: the secret key is set and strong, except in debug mode."""
    key = settings._wrapped.SECRET_KEY  # noqa: SLF001 (settings.SECRET_KEY raises if the key is empty)
    return _weak_secret("SECRET_KEY", key, "E002" if key else "E001", hint="Sessions could be forged.")


@register(Tags.security)
def check_metrics_token(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E008: the token of /metrics is strong, if it is set."""
    hint = "Other people could read the metrics. An empty token switches /metrics off."
    return _weak_secret("METRICS_TOKEN", settings.METRICS_TOKEN, "E008", hint=hint) if settings.METRICS_TOKEN else []


@register(Tags.security)
def check_server_passwords(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E009, E010: a database and a broker on other hosts have strong passwords."""
    database, broker = settings.DATABASES["default"], urlsplit(settings.CELERY_BROKER_URL)
    found: list[CheckMessage] = []
    for number, server, host, password in (
        ("E009", "DATABASE", "" if "sqlite" in database["ENGINE"] else database["HOST"], database["PASSWORD"]),
        ("E010", "REDIS", "" if broker.scheme == "memory" else broker.hostname or "", broker.password),
    ):
        if host not in _LOCAL_HOSTS and not host.startswith("/"):  # a folder is that of a Unix socket
            hint = f"Change it on the server, then in {server}_PASSWORD, {server}_PASSWORD_FILE or {server}_URL."
            found += _weak_secret(f"{server}_PASSWORD", password or "", number, hint=hint)
    return found


@register(Tags.database)
def check_first_migrations(databases: Sequence[str] | None = None, **_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E013: the database has all of the migrations that were joined to one, or none."""
    replaced = set(import_module(_JOINED_MIGRATIONS).Migration.replaces)
    for alias in databases or ():
        applied = replaced & set(MigrationRecorder(connections[alias]).applied_migrations())
        if applied and applied != replaced:
            hint = "Check out the commit before 'Join the first 63 migrations', run `manage.py migrate`, then upgrade."
            return [Error("The database is of version 0.2.0 or older.", hint=hint, id="screening.E013")]
    return []


def _weak_secret(name: str, value: str, number: str, *, hint: str) -> list[CheckMessage]:
    sentence = "" if settings.DEBUG else weakness(name, value)
    return [Error(sentence, hint=hint, id=f"screening.{number}")] if sentence else []


def require_strong_secrets() -> None:
    """Raise ImproperlyConfigured for weak secrets: servers and workers start without ``manage.py check``."""
    found = [*check_secret_key(), *check_metrics_token(), *check_server_passwords()]
    if found:
        raise ImproperlyConfigured(" ".join(f"{one.msg} {one.hint}" for one in found))


@register()
def check_bundle(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E003: the bundle of each installed model is complete, and its weights have the hash that it names."""
    found = []
    for model in settings.GRADING_MODELS:
        try:
            inference.read_own_bundle(model, verify=True)
        except (BundleError, OSError) as error:
            hint = f"Restore the bundle of the release, or set {model.upper()}_MODEL_BUNDLE to another folder."
            message = f"The bundle of the {model} model cannot be used: {error}"
            found.append(Error(message, hint=hint, id="screening.E003"))
    return found


@register()
def check_media_root(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E004, E005: MEDIA_ROOT can be written, and is not served with the static files."""
    if not isinstance(default_storage, FileSystemStorage):
        return []
    root = Path(settings.MEDIA_ROOT)
    static_root = Path(settings.STATIC_ROOT or "/nonexistent")
    if root == static_root or static_root in root.parents:
        hint = "Move MEDIA_ROOT out of STATIC_ROOT: everything there is served without a log-in."
        return [Error("MEDIA_ROOT is within STATIC_ROOT.", hint=hint, id="screening.E004")]
    existing = next(folder for folder in (root, *root.parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        hint = "Create the folder and give it to the user that runs the site, or set MEDIA_ROOT to another."
        return [Error(f"MEDIA_ROOT ({root}) cannot be written.", hint=hint, id="screening.E005")]
    return []


@register()
def check_broker(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.W006: a broker is set, except in debug mode and in the demo."""
    if settings.DEBUG or settings.SITE_IS_DEMO or not settings.CELERY_BROKER_URL.startswith("memory:"):
        return []
    hint = "Set REDIS_URL, then run `celery -A drsite worker` and `celery -A drsite beat`."
    return [
        CheckWarning("REDIS_URL is not set: photographs are stored and never graded.", hint=hint, id="screening.W006")
    ]


@register()
def check_time_limits(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E007: a grading is queued again only after the hard time limit has ended its task."""
    if settings.GRADING_STALE_AFTER_S > settings.GRADING_HARD_LIMIT_S > settings.GRADING_SOFT_LIMIT_S:
        return []
    hint = f"Set GRADING_STALE_AFTER_S to more than {settings.GRADING_HARD_LIMIT_S}."
    return [Error("Gradings would be queued again while they still run.", hint=hint, id="screening.E007")]


@register()
def check_exam_lock(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E011: a lock of an exam lasts."""
    if settings.EXAM_LOCK_MINUTES >= 1:
        return []
    hint = "Set EXAM_LOCK_MINUTES to 1 or more, such as 30."
    return [Error("A lock of an exam would end at once.", hint=hint, id="screening.E011")]


@register()
def check_letter_files(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E012: files of letters are kept until they are printed."""
    if settings.LETTER_FILES_DAYS >= 1:
        return []
    hint = "Set LETTER_FILES_DAYS to 1 or more, such as 7."
    return [Error("Files of letters would be deleted before they are printed.", hint=hint, id="screening.E012")]
