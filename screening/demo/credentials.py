"""Password and API key of the demo clinic, kept in its folder."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from screening.demo.folder import DemoError, write_private

_MIN_API_KEY_CHARS = 8


@dataclass(frozen=True, slots=True)
class Credentials:
    """``password`` is the one of all users."""

    password: str
    api_key: str


def load_or_create_credentials(folder: Path, environ: Mapping[str, str]) -> Credentials:
    """Credentials of DEMO_PASSWORD and DEMO_API_KEY, else those of the last start, else random ones.

    Raises DemoError for a password or key that could not be typed.
    """
    last = read_credentials(folder)
    credentials = Credentials(
        environ.get("DEMO_PASSWORD") or (last.password if last else secrets.token_urlsafe(12)),
        environ.get("DEMO_API_KEY") or (last.api_key if last else f"drk_{secrets.token_urlsafe(32)}"),
    )
    if not credentials.password.isprintable() or not credentials.api_key.isprintable():
        raise DemoError("DEMO_PASSWORD and DEMO_API_KEY may have printable characters only.")
    if len(credentials.api_key) < _MIN_API_KEY_CHARS or " " in credentials.api_key:
        raise DemoError(f"DEMO_API_KEY must have at least {_MIN_API_KEY_CHARS} characters and no spaces.")
    if credentials != last:
        write_private(folder / "credentials", f"password={credentials.password}\napi_key={credentials.api_key}\n")
    return credentials


def read_credentials(folder: Path) -> Credentials | None:
    """Credentials of the last start; None before the first start and for a damaged file."""
    try:
        lines = (folder / "credentials").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    values = dict(line.partition("=")[::2] for line in lines)
    if not values.get("password") or not values.get("api_key"):
        return None
    return Credentials(values["password"], values["api_key"])
