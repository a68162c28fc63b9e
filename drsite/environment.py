"""Environment variables: secrets from files, passwords of servers, and variables that were renamed."""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

from ml.bundle_signature import read_public_key
from ml.errors import InputError
from ml.vocabulary import ServedModel

_BUNDLES = "ACCURATE_MODEL_BUNDLE and FAST_MODEL_BUNDLE"
RENAMED = {
    "BEAT_SIGN_FILE": "BEAT_HEARTBEAT_FILE",
    "DR_BUNDLE": _BUNDLES,
    "MODEL_BUNDLE": _BUNDLES,
    "PHOTOS_BY_PROXY": "X_ACCEL_REDIRECT_PREFIX",
}
_PASSWORD_OF = {"DATABASE_URL": "DATABASE_PASSWORD", "REDIS_URL": "REDIS_PASSWORD", "CACHE_URL": "REDIS_PASSWORD"}


class Environment(FileAwareMapping):  # type: ignore[misc]  # the package has no types
    """Environment variables, read from the file that ``NAME_FILE`` names if it is set (Docker secrets).

    An empty variable counts as not set. ``DATABASE_PASSWORD`` and ``REDIS_PASSWORD`` are added to URLs without one.
    Raises ImproperlyConfigured for a renamed variable, a variable set twice, and a file that is empty or unreadable.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(variables)
        for old, new in RENAMED.items():
            if old in variables:
                raise ImproperlyConfigured(f"{old} is now called {new}. Set {new} instead.")

    def __getitem__(self, name: str) -> str:
        value = self._read_file(name, path) if (path := self.env.get(f"{name}_FILE")) else str(self.env[name])
        if not value:
            raise KeyError(name)
        return _with_password(value, self.get(_PASSWORD_OF[name], "")) if name in _PASSWORD_OF else value

    def _read_file(self, name: str, path: str) -> str:
        if self.env.get(name):
            raise ImproperlyConfigured(f"{name} and {name}_FILE are both set. Keep one of them.")
        try:
            value = str(super().__getitem__(name)).strip()  # most editors end a file with a newline
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(
                f"{name}_FILE is {path}, which cannot be read. Mount the file, and let the user of the site read it."
            ) from error
        if not value:
            raise ImproperlyConfigured(f"{name}_FILE is {path}, which is empty. Write the secret into it.")
        return value


def public_keys(texts: list[str]) -> tuple[str, ...]:
    """The keys of BUNDLE_PUBLIC_KEYS, as they are. Raises ImproperlyConfigured for a text that is none."""
    for text in texts:
        try:
            read_public_key(text)
        except InputError as error:
            raise ImproperlyConfigured(f"BUNDLE_PUBLIC_KEYS: {error} `python -m ml key` prints one.") from None
    return tuple(texts)


def served_models(names: list[str]) -> tuple[ServedModel, ...]:
    """The models that GRADING_MODELS names, in the order of the enumeration. Raises ImproperlyConfigured."""
    unknown = sorted(set(names) - set(ServedModel))
    if unknown or not names:
        found = f"names {', '.join(unknown)}" if unknown else "names no model"
        raise ImproperlyConfigured(f"GRADING_MODELS {found}. Set it to accurate,fast or to one of them.")
    return tuple(model for model in ServedModel if model in names)


def _with_password(url: str, password: str) -> str:
    """``url`` with ``password``, unless it has one or has no host (``memory://``, a file)."""
    address = urlsplit(url)
    if not password or not address.hostname or address.password:
        return url
    user, _at, server = address.netloc.rpartition("@")
    return urlunsplit(address._replace(netloc=f"{user.removesuffix(':')}:{quote(password, safe='')}@{server}"))
