"""WSGI application: ``gunicorn drsite.wsgi``."""

import os
import tempfile
from pathlib import Path

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")


def set_multiproc_dir() -> None:
    """Set PROMETHEUS_MULTIPROC_DIR to a folder that all processes of this server share.

    The folder is named after the parent process, which is the same for all. NB: prometheus_client reads the variable
    when it is imported.
    """
    name = f"drsite-metrics-{os.getuid()}-{os.getppid()}"
    folder = Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR") or Path(tempfile.gettempdir()) / name)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


set_multiproc_dir()
_django = get_wsgi_application()

from drsite.garbage_collection import collect_less_often  # noqa: E402 (Django must be set up)
from drsite.request_bodies import store_bodies  # noqa: E402
from ml.serving.decoders import decoders  # noqa: E402
from screening.system_checks import require_strong_secrets  # noqa: E402

require_strong_secrets()
decoders.start_processes()
application = store_bodies(_django)
collect_less_often()
