"""Start-up checks with ids: a wrong setting is reported, not met later.

``manage.py check`` runs them, and so do ``runserver`` and ``migrate``; ``check --deploy`` adds Django's own.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, default_storage

from ml.errors import BundleError
from screening.services import inference

MIN_SECRET_KEY_CHARS = 50
"""Django's own strength check (security.W009) asks for as many; ours runs without ``--deploy``."""
MIN_DISTINCT_CHARS = 5
MIN_TOKEN_CHARS = 20
MIN_PASSWORD_CHARS = 12
_PLACEHOLDERS = ("change", "example", "insecure", "password", "postgres", "secret", "default", "replace")
"""Words of passwords that were meant to be replaced, or that everybody tries first."""
_THIS_MACHINE = frozenset({"", "localhost", "127.0.0.1", "::1"})


@register(Tags.security)
def check_secret_key(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E001, E002: the secret key is there and strong, unless in debug mode."""
    if settings.DEBUG:
        return []
    key = settings._wrapped.SECRET_KEY  # noqa: SLF001 (the public way raises for an empty key, which is to be reported)
    if not key:
        hint = "Set SECRET_KEY, for example to what `openssl rand -base64 48` prints."
        return [Error("SECRET_KEY is empty.", hint=hint, id="screening.E001")]
    if _is_weak(key, MIN_SECRET_KEY_CHARS):
        hint = f"Use at least {MIN_SECRET_KEY_CHARS} random characters: `openssl rand -base64 48` prints such a key."
        return [Error("SECRET_KEY is weak: sessions could be forged.", hint=hint, id="screening.E002")]
    return []


@register(Tags.security)
def check_metrics_token(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E008: who may read the metrics cannot be guessed."""
    if settings.DEBUG or not settings.METRICS_TOKEN or not _is_weak(settings.METRICS_TOKEN, MIN_TOKEN_CHARS):
        return []
    hint = f"Use at least {MIN_TOKEN_CHARS} random characters: `openssl rand -hex 24`; empty turns /metrics off."
    return [Error("METRICS_TOKEN is weak: anybody could read the metrics.", hint=hint, id="screening.E008")]


@register(Tags.security)
def check_server_passwords(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E009, E010: database and broker on other machines have passwords worth the name."""
    if settings.DEBUG:
        return []
    database = settings.DATABASES["default"]
    broker = urlsplit(settings.CELERY_BROKER_URL)
    found = []
    for number, name, host, password in (
        ("E009", "DATABASE", "" if "sqlite" in database["ENGINE"] else database["HOST"], database["PASSWORD"]),
        ("E010", "REDIS", "" if broker.scheme == "memory" else broker.hostname or "", broker.password or ""),
    ):
        is_here = host in _THIS_MACHINE or host.startswith("/")  # a socket's folder
        if not is_here and _is_weak(password, MIN_PASSWORD_CHARS):
            hint = (
                f"Give the server a password of at least {MIN_PASSWORD_CHARS} random characters "
                f"(`openssl rand -hex 24`) and put it into {name}_PASSWORD, {name}_PASSWORD_FILE or {name}_URL."
            )
            words = "is missing" if not password else "is weak"
            found.append(Error(f"The password of {name}_URL {words}.", hint=hint, id=f"screening.{number}"))
    return found


def _is_weak(secret: str, min_chars: int) -> bool:
    has_few_characters = len(set(secret)) < MIN_DISTINCT_CHARS
    return len(secret) < min_chars or has_few_characters or secret.lower().startswith(_PLACEHOLDERS)


def require_strong_secrets() -> None:
    """For servers and workers, which start without ``manage.py check``. Raises ImproperlyConfigured with sentences."""
    found = [*check_secret_key(), *check_metrics_token(), *check_server_passwords()]
    if found:
        raise ImproperlyConfigured(" ".join(f"{one.msg} {one.hint}" for one in found))


@register()
def check_bundle(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E003: the model bundle is there and whole, so that nothing is ever graded by missing weights."""
    try:
        inference.read_own_bundle(verify=True)
    except (BundleError, OSError) as error:
        hint = "Point MODEL_BUNDLE at a bundle folder, or restore the one that came with the release."
        return [Error(f"The model bundle cannot be used: {error}", hint=hint, id="screening.E003")]
    return []


@register()
def check_media_root(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E004, E005: photographs can be stored, and not where static files are served from."""
    if not isinstance(default_storage, FileSystemStorage):
        return []
    root = Path(settings.MEDIA_ROOT)
    static_root = Path(settings.STATIC_ROOT or "/nonexistent")
    if root == static_root or static_root in root.parents:
        hint = "Move MEDIA_ROOT out of STATIC_ROOT: everything there is served to everybody."
        return [Error("MEDIA_ROOT lies within STATIC_ROOT.", hint=hint, id="screening.E004")]
    existing = next(folder for folder in (root, *root.parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        hint = "Create the folder and give it to the user that runs the site, or set MEDIA_ROOT to another."
        return [Error(f"MEDIA_ROOT ({root}) cannot be written.", hint=hint, id="screening.E005")]
    return []


@register()
def check_broker(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.W006: without a broker, photographs of a real site would wait for ever."""
    if settings.DEBUG or settings.SITE_IS_DEMO or not settings.CELERY_BROKER_URL.startswith("memory:"):
        return []
    hint = "Set REDIS_URL, and start a worker and the beat: celery -A drsite worker; celery -A drsite beat."
    return [CheckWarning("No broker is set: nothing will be graded.", hint=hint, id="screening.W006")]


@register()
def check_time_limits(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E007: the sweep gives a grading up only after its worker must have ended."""
    if settings.GRADING_STALE_AFTER_S > settings.GRADING_HARD_LIMIT_S > settings.GRADING_SOFT_LIMIT_S:
        return []
    hint = "GRADING_STALE_AFTER_S must be longer than the hard limit of a grading (60 s)."
    return [Error("A grading would be given up while it still runs.", hint=hint, id="screening.E007")]
