"""``python -m screening.demo`` (``make demo``): a screening clinic on this computer, with synthetic photographs.

Environment: ``PORT`` (8000), ``HOST`` (127.0.0.1), ``DEMO_DIR`` (var/demo), ``DEMO_PASSWORD`` and ``DEMO_API_KEY``
(random, and kept), ``DEMO_PHOTOS`` (a folder of photographs for a new clinic, in place of synthetic ones).
A second start keeps the data. Needs neither Redis nor a database server.
"""

import os
import socket
import sys
from pathlib import Path

from screening.demo.credentials import load_or_create_credentials
from screening.demo.folder import PROJECT, DemoError, lock_folder, open_folder, settings_for


def main() -> None:
    """Prepare the folder and the clinic, then run gunicorn."""
    try:
        host, port = os.environ.get("HOST") or "127.0.0.1", _parse_port(os.environ.get("PORT") or "8000")
        _check_port(host, port)
        folder = open_folder(os.environ)
        lock_folder(folder)
        credentials = load_or_create_credentials(folder, os.environ)
        os.environ.update(settings_for(folder, os.environ, host), HOST=host, PORT=str(port))
        _print(f"Preparing the demo clinic in {folder} ...")
        _prepare(folder)
        from screening.demo import clinic, own_photos

        photos = own_photos.photo_folder(os.environ)
        clinic.seed_demo(credentials, photos)
        os.environ["DEMO_PHOTOS"] = str(photos or "")
    except DemoError as error:
        raise SystemExit(f"The demo did not start. {error}") from error
    _run_server()


def _parse_port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise DemoError(f"PORT must be a number from 1 to 65535, not “{text}”.")
    return int(text)


def _check_port(host: str, port: int) -> None:
    """Raise DemoError if the port cannot be bound: gunicorn reports it only after the preparation."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise DemoError(f"Port {port} needs administrator rights. Choose another: make demo PORT=8000") from error
        except socket.gaierror as error:
            raise DemoError(
                f"HOST “{host}” is not an address of this computer. Leave it out, or use 0.0.0.0."
            ) from error
        except OSError as error:
            free = port + 1 if port < 65535 else 8000
            raise DemoError(
                f"Port {port} of {host} is taken by another program. Choose another: make demo PORT={free}"
            ) from error


def _prepare(folder: Path) -> None:
    """Check the model, migrate the database and collect static files."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from ml.errors import BundleError
    from screening.services.inference import read_own_bundle

    try:
        for model in settings.GRADING_MODELS:
            _print(f"  model     {read_own_bundle(model, verify=True).model_version} ({model})")
    except BundleError as error:
        raise DemoError(str(error)) from error
    call_command("migrate", interactive=False, verbosity=0)
    _print(f"  database  {folder / 'db.sqlite3'}")
    _collect_static(folder)


def _collect_static(folder: Path) -> None:
    """Collect and compress static files, unless none changed since the last start."""
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    entries = []
    for finder in get_finders():
        for name, storage in finder.list([]):
            stat = Path(storage.path(name)).stat()
            entries.append(f"{name} {stat.st_size} {stat.st_mtime_ns}")
    fingerprint, last = "\n".join(sorted(entries)), folder / "static.fingerprint"
    if (folder / "static" / "staticfiles.json").exists() and last.exists() and last.read_text() == fingerprint:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    last.write_text(fingerprint)


def _run_server() -> None:
    """Run gunicorn in this process. Its worker is forked, with all modules imported."""
    from django.db import connections
    from gunicorn.app import wsgiapp

    os.chdir(PROJECT)
    connections.close_all()
    sys.argv[1:] = ["--config", "python:screening.demo.server", "drsite.wsgi:application"]
    wsgiapp.run(prog="gunicorn")


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
