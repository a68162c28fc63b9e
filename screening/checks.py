"""Start-up checks with ids: a wrong setting is reported, not met later.

``manage.py check`` runs them, and so do ``runserver`` and ``migrate``; ``check --deploy`` adds Django's own.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning

from ml.bundle import BundleError
from screening.services import gradings

MIN_SECRET_KEY_CHARS = 50
"""Django's own strength check (security.W009) asks for as many; ours runs without ``--deploy``."""
MIN_SECRET_KEY_SIGNS = 5


@register(Tags.security)
def check_secret_key(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E001, E002: the secret key is there and strong, unless in debug mode."""
    if settings.DEBUG:
        return []
    key = settings._wrapped.SECRET_KEY  # noqa: SLF001 (the public way raises for an empty key, which is to be reported)
    if not key:
        hint = "Set SECRET_KEY, for example to what `openssl rand -base64 48` prints."
        return [Error("SECRET_KEY is empty.", hint=hint, id="screening.E001")]
    is_weak = len(key) < MIN_SECRET_KEY_CHARS or len(set(key)) < MIN_SECRET_KEY_SIGNS or key.startswith("insecure")
    if is_weak:
        hint = f"Use at least {MIN_SECRET_KEY_CHARS} random characters: `openssl rand -base64 48` prints such a key."
        return [Error("SECRET_KEY is weak: sessions could be forged.", hint=hint, id="screening.E002")]
    return []


@register()
def check_bundle(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E003: the model bundle is there and whole, so that nothing is ever graded by missing weights."""
    try:
        gradings.read_own_bundle(verify=True)
    except (BundleError, OSError) as error:
        hint = "Point DR_BUNDLE at a bundle folder, or restore the one that came with the release."
        return [Error(f"The model bundle cannot be used: {error}", hint=hint, id="screening.E003")]
    return []


@register()
def check_media_root(**_kwargs: Any) -> Sequence[CheckMessage]:
    """screening.E004, E005: photographs can be stored, and not where static files are served from."""
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
