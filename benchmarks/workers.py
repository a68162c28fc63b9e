"""Print how many photographs a second 1, 2 and 4 workers grade that wait before, without uploads at the same time.

    DATABASE_URL=postgres://postgres@127.0.0.1/scratch REDIS_URL=redis://127.0.0.1:6379/9 \\
        python -m benchmarks.workers --photos FOLDER [--n-fast 400] [--n-accurate 100] [--workers 1 2 4] [--cores 0.25]

Each worker is a process with one thread, as in a container. The workers are stopped while the queue is filled, so that
they begin together, with their models loaded. The last row is one worker again: its difference from the first is noise.

On a machine with fewer cores than workers the photographs a second stay those of its cores. The processor time of a
photograph then says whether workers disturb each other: it stays the same if they do not. With ``--cores 0.25`` each
worker gets a quarter of a core at most, as a container with ``cpus: 0.25``: four of them and the database then have the
processor time that they need, and the efficiency is that of workers on separate machines (Linux, root).

The database is migrated and must be empty; the database of Redis is emptied. Both are of no use afterwards.
"""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.environment import machine, prepare, prepare_servers, read_photographs, wait_for_gradings

MEDIA = prepare()

from celery import current_app  # noqa: E402 (after django.setup)
from django.db import connection, connections  # noqa: E402
from django.db.models import Avg, Count, Max, Min  # noqa: E402

from benchmarks.clinics import Clinic, StoredFile, add_clinic, add_photographs, queue, store  # noqa: E402
from benchmarks.rows_of_tables import Run, rows_of_runs  # noqa: E402
from benchmarks.servers import START_S, Servers  # noqa: E402
from ml.metrics.markdown import row_table  # noqa: E402
from ml.vocabulary import ServedModel  # noqa: E402
from screening.models import Grading  # noqa: E402
from screening.services.active_bundles import version_in_use  # noqa: E402

N_FILES = 200
N_WARM = 4


def wait_for_workers(n: int) -> None:
    """Wait until so many workers answer. Raises RuntimeError after START_S."""
    until = time.monotonic() + START_S
    while len(current_app.control.ping(timeout=1) or ()) < n:
        if time.monotonic() > until:
            raise RuntimeError("The workers have not started.")


def fill_queue(model: ServedModel, files: list[StoredFile], n_images: int) -> Clinic:
    """Queue photographs of a new site."""
    clinic = add_clinic(n_exams=(n_images + 1) // 2, model=model)
    images = add_photographs(clinic, files, n_images)
    queue(clinic, images, model=model, version=version_in_use(clinic.site))
    return clinic


def run(
    servers: Servers, model: ServedModel, files: list[StoredFile], *, n_workers: int, n_images: int, cores: float | None
) -> Run:
    """Start workers, let them grade ``n_images`` photographs that wait, and stop them."""
    servers.start_workers(n_workers)
    wait_for_workers(n_workers)
    fill_queue(model, files, N_WARM * n_workers)  # not measured: the first photographs load the model
    wait_for_gradings()
    servers.pause_workers()
    clinic = fill_queue(model, files, n_images)
    if cores is not None:
        servers.limit_workers(cores)
    before = servers.cpu_s()
    servers.resume_workers()
    wait_for_gradings()
    used = {kind: seconds - before[kind] for kind, seconds in servers.cpu_s().items()}
    servers.stop()
    graded = Grading.objects.filter(queue_site=clinic.site, status=Grading.Status.DONE)
    facts = graded.aggregate(n=Count("pk"), first=Min("started_at"), last=Max("finished_at"), mean=Avg("duration_ms"))
    if facts["n"] != n_images:
        raise RuntimeError(f"{n_images - facts['n']} photographs were not graded.")
    seconds = (facts["last"] - facts["first"]).total_seconds()
    worker_ms, database_ms = (used[kind] * 1000 / n_images for kind in ("worker", "database"))
    return Run(n_workers, n_images, seconds, facts["mean"], worker_ms, database_ms)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG files")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--n-fast", type=int, default=400, help="photographs of each run by the fast model; 0: none")
    parser.add_argument("--n-accurate", type=int, default=100, help="the same by the accurate model")
    parser.add_argument("--cores", type=float, help="processor cores of each worker at most; without: all")
    options = parser.parse_args()
    prepare_servers()
    print(machine(), flush=True)
    files = store(read_photographs(options.photos, N_FILES))
    for model, n_images in ((ServedModel.FAST, options.n_fast), (ServedModel.ACCURATE, options.n_accurate)):
        if not n_images:
            continue
        with tempfile.TemporaryDirectory() as folder:
            servers, runs = Servers(Path(folder), database=connection.settings_dict["NAME"]), []
            try:
                for n_workers in (*options.workers, options.workers[0]):
                    numbers = {"n_workers": n_workers, "n_images": n_images}
                    runs.append(run(servers, model, files, **numbers, cores=options.cores))
                    connections.close_all()
            finally:
                servers.stop()
        print(f"\nThe {model} model:\n\n{row_table(rows_of_runs(runs))}", end="", flush=True)


if __name__ == "__main__":
    main()
