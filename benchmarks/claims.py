"""Print how many photographs a second processes can claim: they finish them without an inference.

    DATABASE_URL=postgres://postgres@127.0.0.1/scratch REDIS_URL=redis://127.0.0.1:6379/9 \\
        python -m benchmarks.claims --photos FOLDER [--processes 1 2 4 8] [--sites 50] [--seconds 6]

The photographs are those of one site, and then of many. Each process does what a worker does (``gradings.run_next``)
with a model that returns a result at once. The database is migrated and must be empty; the database of Redis is
emptied. Both are of no use afterwards.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.managers import SyncManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.environment import machine, prepare, prepare_servers, read_photographs

MEDIA = prepare()

from django.db import connection, connections  # noqa: E402 (after django.setup)
from django.db.models import F  # noqa: E402
from django.db.models.functions import Now  # noqa: E402

from benchmarks.clinics import Clinic, add_clinic, add_photographs, store  # noqa: E402
from benchmarks.servers import Servers  # noqa: E402
from ml.metrics.markdown import row_table  # noqa: E402
from ml.prediction import Prediction  # noqa: E402
from ml.vocabulary import ServedModel  # noqa: E402
from screening.models import Grading, Heatmap, Site  # noqa: E402
from screening.services import grading_queue, gradings, inference  # noqa: E402

N_WAITING = 3000
"""More than all processes finish in the time."""


@dataclass(slots=True)
class Counted:
    """What one process did."""

    claim_s: list[float] = field(default_factory=list)
    n_lost: int = 0
    """Claims for which another process was faster."""


def work(prediction: Prediction, media: str, seconds: float, barrier: Any, counts: Any) -> None:
    """Take photographs for some seconds; all processes begin at the same time."""
    from django.core.files.storage import default_storage

    storage: Any = default_storage
    storage.location = media
    counted, real_claim = Counted(), grading_queue.claim

    def claim(grading: Grading) -> bool:
        began = time.perf_counter()
        is_mine = real_claim(grading)
        if is_mine:
            counted.claim_s.append(time.perf_counter() - began)
        else:
            counted.n_lost += 1
        return is_mine

    bundle = inference.current_bundle(ServedModel.FAST)
    grader = SimpleNamespace(bundle=bundle, grade=lambda _photo: prediction)
    with patch.object(grading_queue, "claim", claim), patch.object(inference, "current_grader", lambda _model: grader):
        connection.ensure_connection()
        barrier.wait()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            gradings.run_next()
        counts.put(counted)
        barrier.wait()  # the connection is open until the processor time of its process is read


def queue_again(sites: Sequence[Site]) -> None:
    """Queue all photographs of these sites, and none of others."""
    Grading.objects.update(status=Grading.Status.FAILED, failure_code="unexpected", is_gradable=None, grade=None,
                           probabilities=None, p_referable=None, p_macular_oedema=None, suspects_oedema=None,
                           oedema_operating_point=None)  # fmt: skip
    Heatmap.objects.all().delete()
    rows = Grading.objects.filter(queue_site__in=sites)
    rows.update(
        status=Grading.Status.QUEUED, failure_code="", n_attempts=0, queued_at=F("created_at"), published_at=Now()
    )
    connection.cursor().execute("VACUUM ANALYZE screening_grading")


def row(counted: Sequence[Counted], *, n_sites: int, seconds: float, database_s: float) -> dict[str, object]:
    """A row of the table."""
    claim_ms = np.array([one for each in counted for one in each.claim_s]) * 1000
    median, high = np.percentile(claim_ms, [50, 99])
    n_lost = sum(each.n_lost for each in counted)
    return {
        "sites": n_sites,
        "processes": len(counted),
        "photographs a second": f"{len(claim_ms) / seconds:.0f}",
        "claim, median / 99th percentile": f"{median:.1f} / {high:.1f} ms",
        "claims lost to another process": f"{n_lost / (n_lost + len(claim_ms)):.0%}",
        "processor time of the database, a photograph": f"{database_s * 1000 / len(claim_ms):.1f} ms",
    }


def measure(
    manager: SyncManager, prediction: Prediction, clinics: list[Clinic], *, n_processes: int, seconds: float
) -> dict[str, object]:
    """Let some processes take what waits at these sites."""
    queue_again([clinic.site for clinic in clinics])
    barrier, counts = manager.Barrier(n_processes + 1), manager.Queue()
    connections.close_all()
    arguments = (prediction, MEDIA.name, seconds, barrier, counts)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=work, args=arguments) for _ in range(n_processes)]
    for process in processes:
        process.start()
    with tempfile.TemporaryDirectory() as folder:
        connections_to_database = Servers(Path(folder), database=connection.settings_dict["NAME"])
        barrier.wait()
        before = connections_to_database.cpu_s()["database"]
        counted = [counts.get() for _ in processes]
        database_s = connections_to_database.cpu_s()["database"] - before
    barrier.wait()
    for process in processes:
        process.join()
    return row(counted, n_sites=len(clinics), seconds=seconds, database_s=database_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG files; two of them are used")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--sites", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=6, help="of each row")
    options = parser.parse_args()
    prepare_servers()
    print(machine(), end="\n\n", flush=True)
    files = store(read_photographs(options.photos, 2))
    photo = (Path(MEDIA.name) / files[0].name).read_bytes()
    grader = inference.current_grader(ServedModel.FAST)
    prediction, rows = grader.grade(photo), []
    with multiprocessing.Manager() as manager:
        for n_sites in (1, options.sites):
            clinics = [add_clinic(n_exams=N_WAITING // n_sites) for _ in range(n_sites)]
            for clinic in clinics:
                _add_gradings(clinic, files, grader.bundle.model_version)
            rows += [
                measure(manager, prediction, clinics, n_processes=n, seconds=options.seconds) for n in options.processes
            ]
    print(row_table(rows), end="")


def _add_gradings(clinic: Clinic, files: Any, version: str) -> None:
    """A grading of one photograph of each exam."""
    images = add_photographs(clinic, files, len(clinic.exams))
    fields = {"model": ServedModel.FAST, "model_version": version, "queue_site": clinic.site}
    rows = (Grading(image=image, queued_at=Now(), **fields) for image in images)
    Grading.objects.bulk_create(rows, batch_size=1000)


if __name__ == "__main__":
    main()
