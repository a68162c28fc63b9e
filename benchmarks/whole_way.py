"""Print how long a photograph takes from its upload over HTTP to its grading, and ``POST predict``.

    DATABASE_URL=postgres://postgres@127.0.0.1/scratch REDIS_URL=redis://127.0.0.1:6379/9 \\
        python -m benchmarks.whole_way [--seconds 45] [--clients 1 10 50] [--workers 1] [--photos FOLDER]

It starts gunicorn as in a container, workers and beat, all on this machine, where the clients run too. The database is
migrated and must be empty; it is of no use afterwards, and the database of Redis is emptied. By default the uploads
take 45 s for each number of clients and ``predict`` 15 s: three minutes in all.
"""

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")
os.environ.setdefault("ALLOWED_HOSTS", "127.0.0.1")
os.environ["API_RATE"] = os.environ["API_PHOTO_RATE"] = "1000000/min"
os.environ.setdefault("CACHE_URL", os.environ.get("REDIS_URL", "").replace("redis://", "rediscache://"))
MEDIA = tempfile.TemporaryDirectory()
os.environ["MEDIA_ROOT"] = MEDIA.name
django.setup()

import redis  # noqa: E402 (after django.setup)
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from benchmarks.servers import Servers  # noqa: E402
from benchmarks.uploads import Clients, Measured, percentiles  # noqa: E402
from ml.metrics.markdown import row_table  # noqa: E402
from screening.models import Exam, Grading, Membership, Patient, Site, User  # noqa: E402
from screening.services.api_keys import issue_key  # noqa: E402

N_EXAMS = 6000
N_PHOTOS = 1000
WAIT_S = 600


def fill(model: str) -> tuple[str, list[str]]:
    """A site whose exams wait for photographs. Returns the key of a photographer there, and the exams."""
    mode = Site.ReadingMode.SIDE_BY_SIDE  # at a blind-first site, predict refuses a photograph that is yet to be read
    code = f"measured-{time.time():.0f}"
    site = Site.objects.create(name="Measured", code=code, timezone="UTC", model=model, reading_mode=mode)
    user = User.objects.create_user(code)
    Membership.objects.create(user=user, site=site, role=Membership.Role.PHOTOGRAPHER)
    patients = Patient.objects.bulk_create(
        Patient(site=site, mrn=str(n), family_name="Test", given_name=str(n), born_on="1960-05-17")
        for n in range(N_EXAMS)
    )
    exams = Exam.objects.bulk_create(Exam(patient=one, site=site, opened_by=user) for one in patients)
    _row, key = issue_key(user=user, name="whole way", by=None)
    return key, [str(one.pk) for one in exams]


def bytes_of_a_message(clients: Clients, broker: redis.Redis) -> int:
    """Length of the message of a photograph, sent while no worker runs."""
    clients.send_one()
    messages: Any = broker.lrange("celery", 0, -1)
    return next(len(one) for one in messages if b"grade_next" in one)


def wait_for_gradings() -> float:
    """Wait until none is queued or runs. Returns the seconds; raises RuntimeError if it takes too long."""
    began = time.monotonic()
    while Grading.objects.filter(status__in=[Grading.Status.QUEUED, Grading.Status.RUNNING]).exists():
        if time.monotonic() > began + WAIT_S:
            raise RuntimeError("Photographs wait still.")
        time.sleep(0.2)
    return time.monotonic() - began


def row(uploads: Measured, predictions: Measured, cpu_s: dict[str, float]) -> dict[str, object]:
    """A row of the table; ``cpu_s`` was used for the uploads and their gradings."""
    states = list(Grading.objects.filter(pk__in=uploads.gradings).values_list("status", flat=True))
    n_done, n_accepted = states.count(Grading.Status.DONE), len(uploads.gradings)
    return {
        "clients": uploads.n_clients,
        "upload, median / 99th percentile": percentiles(uploads.upload_s),
        "upload to grading": percentiles(uploads.graded_s),
        "photographs a second": f"{n_accepted / uploads.sending_s:.1f}",
        "accepted, graded, lost": f"{n_accepted}, {n_done}, {n_accepted - n_done}",
        "processor time of a photograph: " + ", ".join(cpu_s): ", ".join(
            f"{seconds * 1000 / max(1, n_accepted):.0f}" for seconds in cpu_s.values()
        )
        + " ms",
        "predict": percentiles(predictions.predict_s),
        "predictions a second": f"{len(predictions.predict_s) / predictions.sending_s:.1f}",
        "refused (HTTP status: number)": ", ".join(
            f"{status}: {n}" for status, n in sorted((uploads.errors + predictions.errors).items())
        )
        or "-",
    }


def measure(options: argparse.Namespace, broker: redis.Redis) -> str:
    """Run all; the table."""
    files = sorted(path for path in options.photos.iterdir() if path.suffix.lower() in {".jpg", ".jpeg"})
    photos = [path.read_bytes() for path in files[:N_PHOTOS]]
    key, exams = fill(options.model)
    connections.close_all()
    rows, n_sent = [], 0
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(Path(folder), database=connection.settings_dict["NAME"])
        try:
            servers.start()
            clients = Clients(port=servers.port, key=key, exams=exams, photos=photos)
            n_bytes = bytes_of_a_message(clients, broker)
            servers.start_workers(options.workers)
            wait_for_gradings()
            clients.predict(n_clients=4, seconds=3)  # not measured: the first calls load the models
            before = broker.info("stats")
            for n in options.clients:
                cpu_before = servers.cpu_s()
                uploads = clients.upload(n_clients=n, seconds=options.seconds)
                wait_for_gradings()
                cpu_s = {kind: after_s - cpu_before[kind] for kind, after_s in servers.cpu_s().items()}
                predictions = clients.predict(n_clients=n, seconds=options.seconds / 3)
                rows.append(row(uploads, predictions, cpu_s))
                n_sent += len(uploads.gradings) + len(predictions.predict_s)
            after = broker.info("stats")
        finally:
            servers.stop()
    traffic = sum(after[name] - before[name] for name in ("total_net_input_bytes", "total_net_output_bytes"))
    mean_mb = sum(map(len, photos)) / len(photos) / 1e6
    return (
        f"{len(photos)} photographs of {mean_mb:.1f} MB in turn, model {options.model}, workers {options.workers}, "
        f"{os.cpu_count()} processors ({platform.machine()}) for servers, database and clients together\n\n"
        f"{row_table(rows)}\nBroker: {n_bytes} bytes a message; {traffic / max(1, n_sent):.0f} bytes a photograph "
        "with heartbeats, rate limits and polling of the queue.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=45, help="of uploads, for each number of clients")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--model", choices=["fast", "accurate"], default="fast")
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG files")
    options = parser.parse_args()
    if connection.vendor != "postgresql" or not settings.CELERY_BROKER_URL.startswith("redis"):
        raise SystemExit("Set DATABASE_URL to a database of PostgreSQL, and REDIS_URL.")
    call_command("migrate", verbosity=0)
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        broker.flushdb()
        print(measure(options, broker), end="")
        broker.flushdb()


if __name__ == "__main__":
    main()
