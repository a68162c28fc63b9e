"""The WSGI application: ``gunicorn drsite.wsgi``."""

import os
import tempfile
from pathlib import Path

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")


def set_multiproc_dir() -> None:
    """Name the folder in which this server's processes count together; before anything imports prometheus_client.

    Loaded before the fork, the name is inherited; loaded after it, all processes have the same parent and so the name.
    """
    name = f"drsite-metrics-{os.getuid()}-{os.getppid()}"
    folder = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(Path(tempfile.gettempdir()) / name)))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


set_multiproc_dir()
application = get_wsgi_application()

from screening.system_checks import require_strong_secrets  # noqa: E402 (Django must be set up)

require_strong_secrets()
