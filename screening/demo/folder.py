"""Folder of the demo: database, photographs, secret key and credentials, so that it can be started again."""

import fcntl
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


class DemoError(Exception):
    """The demo cannot start. The message tells its user what to do."""


def open_folder(environ: Mapping[str, str]) -> Path:
    """Create the folder DEMO_DIR, readable to its owner only. Raises DemoError if it cannot be written."""
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
    """Lock the folder until this process and its children end. Raises DemoError if it is locked."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise DemoError(
            f"A demo is running with the folder {folder} already. Stop it first, or set DEMO_DIR to another folder."
        ) from error


def settings_for(folder: Path, environ: Mapping[str, str], host: str) -> dict[str, str]:
    """Environment variables of the demo. They replace those of the shell."""
    is_local = host in {"127.0.0.1", "localhost"}
    return {
        "DJANGO_SETTINGS_MODULE": "drsite.settings",
        "DEBUG": "false",
        "SECRET_KEY": _load_or_create_secret_key(folder / "secret_key"),
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "REDIS_URL": "memory://localhost/",  # a queue inside this process
        "MEDIA_ROOT": str(folder / "media"),
        "STATIC_ROOT": str(folder / "static"),
        "SMS_BACKEND": "screening.message_hook.write_to_file",
        "SMS_FILE": str(folder / "messages.jsonl"),
        "SITE_IS_DEMO": "true",
        "INSECURE_HTTP": "true",
        "PUBLIC_URL": environ.get("PUBLIC_URL") or f"http://{host}:{environ.get('PORT') or 8000}",
        "ALLOWED_HOSTS": environ.get("ALLOWED_HOSTS") or ("localhost,127.0.0.1" if is_local else "*"),
        "LOG_LEVEL": environ.get("LOG_LEVEL") or "WARNING",
        "DEMO_DIR": str(folder),
    }


def _load_or_create_secret_key(path: Path) -> str:
    if not path.exists() or not path.read_text(encoding="utf-8").strip():
        write_private(path, secrets.token_urlsafe(50))
    return path.read_text(encoding="utf-8").strip()


def write_private(path: Path, text: str) -> None:
    """Write a file atomically, readable to its owner only."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
