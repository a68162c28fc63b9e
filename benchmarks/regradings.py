"""Print the memory of a worker while it grades the photographs of a re-grading, and whether each was graded once.

    DATABASE_URL=postgres://postgres@127.0.0.1/scratch REDIS_URL=redis://127.0.0.1:6379/9 \\
        python -m benchmarks.regradings --photos FOLDER [--n-photos 10000] [--model fast]

The rows point to a few hundred files in turn, and have a grading by an earlier version. One worker, a separate process
as in a container, works on the job; it gets a message as soon as it has done one, not every 20 s as by beat. Half-way
it is killed (SIGKILL) and another one started. Statements are counted in this process, for some photographs at the
beginning, in the middle and at the end. Exits with 1 if memory grew by MAX_GROWN_MB after the first photographs, the
statements of a photograph increased, or one was not graded or graded twice. About 14 photographs a second: ``--n-photos
2500`` takes three minutes. The database is migrated and must be empty; the database of Redis is emptied. Both are of no
use afterwards.
"""

import argparse
import os
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.environment import machine, prepare, prepare_servers, read_photographs

MEDIA = prepare()

import redis  # noqa: E402 (after django.setup)
from celery import current_app  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.db.models import Count  # noqa: E402
from django.db.models.functions import Now  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from benchmarks.clinics import Clinic, add_clinic, add_photographs, store  # noqa: E402
from benchmarks.rows_of_tables import Sample, grown_mb, rows_of_samples  # noqa: E402
from benchmarks.servers import Servers  # noqa: E402
from ml.metrics.markdown import row_table  # noqa: E402
from ml.vocabulary import ServedModel  # noqa: E402
from screening.models import Grading, Membership, RegradedImage, Regrading  # noqa: E402
from screening.policy.regradings import RegradingState  # noqa: E402
from screening.services import regradings  # noqa: E402
from screening.services.shadow_gradings import is_grading_waiting  # noqa: E402

N_FILES, N_COUNTED, STALE_AFTER_S = 300, 20, 5
MAX_GROWN_MB = 20
WARM_UP = 0.05
"""Share of the photographs before the memory that later values are compared with."""
STEPS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def begin(options: argparse.Namespace) -> Regrading:
    """A job for photographs with a grading of an earlier version."""
    clinic = add_clinic(n_exams=(options.n_photos + 1) // 2, role=Membership.Role.MANAGER, model=options.model)
    images = add_photographs(clinic, store(read_photographs(options.photos, N_FILES)), options.n_photos)
    Grading.objects.bulk_create((_old_grading(clinic, image) for image in images), batch_size=1000)
    today = images[0].created_at.date()
    return regradings.begin_regrading(
        site=clinic.site, model=ServedModel(options.model), from_on=today, to_on=today, reason="measurement",
        regrading_id=uuid.uuid4(), by=clinic.user,
    )  # fmt: skip


def _old_grading(clinic: Clinic, image: Any) -> Grading:
    result = {"is_gradable": False, "quality_level": "ungradable", "p_gradable": 0.1}
    times = {"queued_at": Now(), "started_at": Now(), "finished_at": Now(), "duration_ms": 50}
    return Grading(
        image=image, model=clinic.site.model, model_version="earlier-0.0.1", status=Grading.Status.DONE,
        **result, **times,
    )  # fmt: skip


def n_finished(job: Regrading) -> int:
    return RegradedImage.objects.filter(regrading=job, finished_at__isnull=False).count()


def statements_of_one(job: Regrading) -> float:
    """Statements of a photograph: the mean of N_COUNTED, graded in this process."""
    n_before, real, allowed = n_finished(job), is_grading_waiting, iter(range(N_COUNTED))

    def stop_after_some() -> bool:
        return real() or next(allowed, None) is None

    with patch.object(regradings, "is_grading_waiting", stop_after_some):
        with CaptureQueriesContext(connection) as statements:
            regradings.work_on_regradings()
        n_statements = len(statements)
    return n_statements / max(1, n_finished(job) - n_before)


def send(task: str) -> None:
    current_app.send_task(f"screening.tasks.{task}", retry=False)


def work_until(job: Regrading, n: int, servers: Servers, broker: redis.Redis) -> Sample:
    """Let the worker continue until ``n`` photographs are graded, or none is left."""
    sent_at = 0.0
    n = min(n, job.n_images - N_COUNTED - 2)  # the last ones are graded in this process
    while (n_done := n_finished(job)) < n:
        job.refresh_from_db()
        if job.state != RegradingState.RUNNING.value:
            raise RuntimeError(f"The job is {job.state}.")
        if time.monotonic() > sent_at + 2 and not broker.llen("celery"):
            send("requeue_stale_gradings")
            send("work_on_regradings")
            sent_at = time.monotonic()
        time.sleep(0.2)
    used, (grading_mb, all_mb) = servers.cpu_s(), servers.memory_mb("worker")
    return Sample(n_done, grading_mb, all_mb, time.monotonic(), used["worker"], used["database"])


def is_each_once(job: Regrading) -> bool:
    """Whether each photograph has one new grading, by the version of the job, and that one is done."""
    new = Grading.objects.filter(image__in=job.images.values("image"), model_version=job.model_version)
    n_of_images = new.filter(status=Grading.Status.DONE).values("image").annotate(n=Count("pk"))
    is_linked = not job.images.filter(new_grading__isnull=True).exists()
    return is_linked and n_of_images.count() == job.n_images == new.count()


def measure(job: Regrading, servers: Servers, broker: redis.Redis) -> bool:
    """Work on the job with one worker, and with another after the kill. Prints; returns whether the goals are met."""
    counts, rows, goals = [statements_of_one(job)], [], True
    for steps in ([one for one in STEPS if one <= 0.5], [one for one in STEPS if one > 0.5]):
        servers.start_workers(1)
        samples = [work_until(job, n_finished(job) + 5, servers, broker)]
        start = samples[0].n_graded
        for step in (start / job.n_images + WARM_UP, *steps):
            if step * job.n_images > samples[-1].n_graded:
                samples.append(work_until(job, int(step * job.n_images), servers, broker))
        servers.kill_workers()
        broker.flushdb()
        rows += rows_of_samples(samples)
        goals = goals and grown_mb(samples[1:]) < MAX_GROWN_MB
        print(f"Memory grew by {grown_mb(samples[1:])} MB after the first photographs; the worker is killed.")
        wait_until_stale(job)
        counts.append(statements_of_one(job))
    servers.start_workers(1)
    wait_until_done(job)
    is_once = is_each_once(job)
    print(f"\n{row_table(rows)}\nStatements of a photograph: {', '.join(f'{n:.1f}' for n in counts)}.")
    print(f"Each photograph graded once: {'yes' if is_once else 'NO'}.")
    return goals and is_once and max(counts) <= min(counts) + 1


def wait_until_stale(job: Regrading) -> None:
    """Wait until what the killed worker had begun is queued again, and graded in this process."""
    from screening.services import gradings, stale_gradings

    time.sleep(STALE_AFTER_S + 1)
    stale_gradings.requeue_stale_gradings(older_than_s=STALE_AFTER_S)
    gradings.run_next()


def wait_until_done(job: Regrading) -> None:
    until = time.monotonic() + 120
    while job.state == RegradingState.RUNNING.value and time.monotonic() < until:
        send("work_on_regradings")
        time.sleep(1)
        job.refresh_from_db()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG files")
    parser.add_argument("--n-photos", type=int, default=10_000)
    parser.add_argument("--model", choices=["fast", "accurate"], default="fast")
    options = parser.parse_args()
    os.environ["GRADING_STALE_AFTER_S"] = str(STALE_AFTER_S)
    prepare_servers()
    print(machine(), end="\n\n", flush=True)
    job = begin(options)
    connections.close_all()
    with tempfile.TemporaryDirectory() as folder, redis.Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        servers = Servers(Path(folder), database=connection.settings_dict["NAME"])
        try:
            return 0 if measure(job, servers, broker) else 1
        finally:
            servers.stop()


if __name__ == "__main__":
    sys.exit(main())
