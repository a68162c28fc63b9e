"""The demo's folder: database, photographs, secret key and credentials, so that it can be started again as it was."""

import fcntl
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_MIN_API_KEY_CHARS = 8


class DemoError(Exception):
    """The demo cannot start so. The message is a sentence for the person who started it."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens the demo clinic. ``password`` is that of all three users."""

    password: str
    api_key: str


def open_folder(environ: Mapping[str, str]) -> Path:
    """The folder named by ``DEMO_DIR``, made when it is missing, readable by its owner alone.

    Raises DemoError with a sentence when it cannot be written.
    """
    folder = Path(environ.get("DEMO_DIR") or PROJECT / "var" / "demo").expanduser().resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "media").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise DemoError(
            f"The folder {folder} cannot be used ({error.strerror}). Set DEMO_DIR to another one."
        ) from error
    return folder


def lock_folder(folder: Path) -> None:
    """Keep a second demo off the same folder until this process and its children end. Raises DemoError."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise DemoError(
            f"A demo is running with the folder {folder} already. Stop it first, or set DEMO_DIR to another folder."
        ) from error
    os.set_inheritable(descriptor, True)  # noqa: FBT003 (positional only); the server takes this process's place and must keep the lock


def settings_for(folder: Path, environ: Mapping[str, str], host: str) -> dict[str, str]:
    """The variables with which ``drsite.settings`` describes the demo; they override the caller's."""
    is_local = host in {"127.0.0.1", "localhost"}
    return {
        "DJANGO_SETTINGS_MODULE": "drsite.settings",
        "DEBUG": "false",
        "SECRET_KEY": _load_or_create_secret(folder / "secret_key"),
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "REDIS_URL": "memory://localhost/",  # a queue inside the one process
        "MEDIA_ROOT": str(folder / "media"),
        "STATIC_ROOT": str(folder / "static"),
        "SITE_IS_DEMO": "true",
        "INSECURE_HTTP": "true",
        "ALLOWED_HOSTS": environ.get("ALLOWED_HOSTS") or ("localhost,127.0.0.1" if is_local else "*"),
        "LOG_LEVEL": environ.get("LOG_LEVEL") or "WARNING",
        "DEMO_DIR": str(folder),
    }


def load_or_create_credentials(folder: Path, environ: Mapping[str, str]) -> Credentials:
    """The credentials of ``DEMO_PASSWORD`` and ``DEMO_API_KEY``, else those of the last start, else new random ones.

    Raises DemoError with a sentence for a key or password that could not be typed back.
    """
    before = read_credentials(folder)
    credentials = Credentials(
        environ.get("DEMO_PASSWORD") or (before.password if before else secrets.token_urlsafe(12)),
        environ.get("DEMO_API_KEY") or (before.api_key if before else f"drk_{secrets.token_urlsafe(32)}"),
    )
    if not credentials.password.isprintable() or not credentials.api_key.isprintable():
        raise DemoError("DEMO_PASSWORD and DEMO_API_KEY may hold printable characters only.")
    if len(credentials.api_key) < _MIN_API_KEY_CHARS or " " in credentials.api_key:
        raise DemoError(f"DEMO_API_KEY must be at least {_MIN_API_KEY_CHARS} characters long, without spaces.")
    if credentials != before:
        _write_private(folder / "credentials", f"password={credentials.password}\napi_key={credentials.api_key}\n")
    return credentials


def read_credentials(folder: Path) -> Credentials | None:
    """The credentials of the last start; None before the first, or where the file was damaged."""
    try:
        lines = (folder / "credentials").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    values = dict(line.partition("=")[::2] for line in lines)
    if not values.get("password") or not values.get("api_key"):
        return None
    return Credentials(values["password"], values["api_key"])


def _load_or_create_secret(path: Path) -> str:
    if not path.exists() or not path.read_text(encoding="utf-8").strip():
        _write_private(path, secrets.token_urlsafe(50))
    return path.read_text(encoding="utf-8").strip()


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
