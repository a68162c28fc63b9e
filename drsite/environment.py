"""What the environment says: variables, secrets that lie in files, and addresses whose password is told apart.

``NAME_FILE`` names a file that holds NAME, as container engines hand out secrets. ``DATABASE_PASSWORD`` and
``REDIS_PASSWORD`` go into ``DATABASE_URL``, ``REDIS_URL`` and ``CACHE_URL`` where these hold none, so that one secret
serves the server and its clients.
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

SECRETS = (
    "SECRET_KEY",
    "DATABASE_URL",
    "DATABASE_PASSWORD",
    "REDIS_URL",
    "REDIS_PASSWORD",
    "CACHE_URL",
    "METRICS_TOKEN",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
    "EMAIL_URL",
)
"""Variables that may come from a file."""
RENAMED = {
    "DR_BUNDLE": "MODEL_BUNDLE",
    "PHOTOS_BY_PROXY": "X_ACCEL_REDIRECT_PREFIX",
}
"""Variables of earlier versions: a site that still sets one must not run without it unnoticed."""
_PASSWORD_OF = {"DATABASE_URL": "DATABASE_PASSWORD", "REDIS_URL": "REDIS_PASSWORD", "CACHE_URL": "REDIS_PASSWORD"}


def read_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` with secrets read from their files and passwords put into the addresses.

    Raises ImproperlyConfigured for a renamed variable, a file that cannot be read or is empty, a secret given twice.
    """
    for old, new in RENAMED.items():
        if old in environ:
            raise ImproperlyConfigured(f"{old} is now called {new}. Set {new} instead.")
    values = dict(environ)
    for name in SECRETS:
        path = values.get(f"{name}_FILE")
        if path:
            if values.get(name):
                raise ImproperlyConfigured(f"{name} and {name}_FILE are both set. Keep one of them.")
            values[name] = _read_secret(name, path)
    for url_name, password_name in _PASSWORD_OF.items():
        if values.get(url_name) and values.get(password_name):
            values[url_name] = _with_password(values[url_name], values[password_name])
    return values


def _read_secret(name: str, path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(
            f"{name}_FILE names {path}, which cannot be read. Mount the secret there and let this user read it."
        ) from error
    if not text:
        raise ImproperlyConfigured(f"{name}_FILE names {path}, which is empty. Write the secret into it.")
    return text


def _with_password(url: str, password: str) -> str:
    """The address with the password, unless it has one already or names no server (``memory://``, a file)."""
    parts = urlsplit(url)
    if not parts.hostname or parts.password:
        return url
    user, _at, server = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.removesuffix(':')}:{quote(password, safe='')}@{server}"))
