"""Print how long a photograph takes from its upload over HTTP to its grading, and ``POST predict``.

    DATABASE_URL=postgres://postgres@127.0.0.1/scratch REDIS_URL=redis://127.0.0.1:6379/9 \\
        python -m benchmarks.whole_way [--seconds 45] [--clients 1 10 50] [--workers 1] [--sites 1] [--photos FOLDER]

It starts gunicorn as in a container, workers and beat, all on this machine, where the clients run too. The database is
migrated and must be empty; it is of no use afterwards, and the database of Redis is emptied. By default the uploads
take 45 s for each number of clients and ``predict`` 15 s: three minutes in all. ``--clients 10 --seconds 180`` shows
by the photographs of each minute whether it becomes slower. Uploads at one site wait for its lock: ``--sites 10``
sends them to ten sites in turn.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.environment import machine, prepare, prepare_servers, read_photographs, wait_for_gradings

MEDIA = prepare()

import redis  # noqa: E402 (after django.setup)
from django.conf import settings  # noqa: E402
from django.db import connection, connections  # noqa: E402

from benchmarks.clinics import add_clinic  # noqa: E402
from benchmarks.servers import Servers  # noqa: E402
from benchmarks.uploads import Clients, Measured, a_minute, percentiles  # noqa: E402
from ml.metrics.markdown import row_table  # noqa: E402
from screening.models import Grading  # noqa: E402

N_EXAMS = 6000
N_PHOTOS = 1000


def bytes_of_a_message(clients: Clients, broker: redis.Redis) -> int:
    """Length of the message of a photograph, sent while no worker runs."""
    clients.send_one()
    messages: Any = broker.lrange("celery", 0, -1)
    return next(len(one) for one in messages if b"grade_next" in one)


def row(uploads: Measured, predictions: Measured, cpu_s: dict[str, float]) -> dict[str, object]:
    """A row of the table; ``cpu_s`` was used for the uploads and their gradings."""
    states = list(Grading.objects.filter(pk__in=uploads.gradings).values_list("status", flat=True))
    n_done, n_accepted = states.count(Grading.Status.DONE), len(uploads.gradings)
    return {
        "clients": uploads.n_clients,
        "upload, median / 99th percentile": percentiles(uploads.upload_s),
        "upload to grading": percentiles(uploads.graded_s),
        "photographs a second": f"{n_accepted / uploads.sending_s:.1f}",
        "graded a second, each minute": a_minute(uploads.graded_at_s),
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
    photos = read_photographs(options.photos, N_PHOTOS)
    clinic = add_clinic(n_exams=N_EXAMS, model=options.model, n_sites=options.sites)
    connections.close_all()
    rows, n_sent = [], 0
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(Path(folder), database=connection.settings_dict["NAME"])
        try:
            servers.start()
            clients = Clients(port=servers.port, clinic=clinic, photos=photos)
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
        f"{len(photos)} photographs of {mean_mb:.1f} MB in turn, sites {options.sites}, model {options.model}, "
        f"workers {options.workers}, "
        f"servers, database and clients together on {machine()}\n\n"
        f"{row_table(rows)}\nBroker: {n_bytes} bytes a message; {traffic / max(1, n_sent):.0f} bytes a photograph "
        "with heartbeats, rate limits and polling of the queue.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=45, help="of uploads, for each number of clients")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--sites", type=int, default=1)
    parser.add_argument("--model", choices=["fast", "accurate"], default="fast")
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG files")
    options = parser.parse_args()
    prepare_servers()
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        print(measure(options, broker), end="")
        broker.flushdb()


if __name__ == "__main__":
    main()
