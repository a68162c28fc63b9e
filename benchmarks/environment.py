"""What programs that run the processes of an installation have in common.

``prepare`` comes before any import of models.
"""

import os
import platform
import tempfile
import time
from pathlib import Path

import django


def prepare() -> "tempfile.TemporaryDirectory[str]":
    """Set up Django with photographs in a temporary folder and without limits of requests. Returns the folder."""
    media: tempfile.TemporaryDirectory[str] = tempfile.TemporaryDirectory()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")
    os.environ.setdefault("ALLOWED_HOSTS", "127.0.0.1")
    os.environ["API_RATE"] = os.environ["API_PHOTO_RATE"] = "1000000/min"
    os.environ.setdefault("CACHE_URL", os.environ.get("REDIS_URL", "").replace("redis://", "rediscache://"))
    os.environ["MEDIA_ROOT"] = media.name
    django.setup()
    return media


def prepare_servers() -> None:
    """Migrate the database and empty the queue. Exits without PostgreSQL and Redis."""
    import redis
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor != "postgresql" or not settings.CELERY_BROKER_URL.startswith("redis"):
        raise SystemExit("Set DATABASE_URL to a database of PostgreSQL, and REDIS_URL.")
    call_command("migrate", verbosity=0)
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        broker.flushdb()


def machine() -> str:
    """Processor, number of cores, load, and versions."""
    from django.db import connection

    facts = Path("/proc/cpuinfo").read_text().splitlines()
    names = [one.partition(":")[2].strip() for one in facts if one.startswith("model name")]
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0].split()[0]
    processor = names[0] if names else platform.machine()
    load, python = os.getloadavg()[0], platform.python_version()
    return f"{processor}, {os.cpu_count()} cores, load {load:.1f}; PostgreSQL {version}, Python {python}"


def read_photographs(folder: Path, n_at_most: int) -> list[bytes]:
    """The JPEG files of a folder, in the order of their names."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".jpg", ".jpeg"})
    if not files:
        raise SystemExit(f"{folder} has no JPEG files.")
    return [path.read_bytes() for path in files[:n_at_most]]


def wait_for_gradings(seconds: float = 600) -> float:
    """Wait until none is queued or runs. Returns the seconds; raises RuntimeError if it takes too long."""
    from screening.models import Grading

    began = time.monotonic()
    while Grading.objects.filter(status__in=[Grading.Status.QUEUED, Grading.Status.RUNNING]).exists():
        if time.monotonic() > began + seconds:
            raise RuntimeError("Photographs wait still.")
        time.sleep(0.2)
    return time.monotonic() - began
