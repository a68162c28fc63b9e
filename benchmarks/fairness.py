"""Print how long a photograph of one site waits for its grading while the workers have much to do for another site.

    DATABASE_URL=postgres://postgres@127.0.0.1/scratch REDIS_URL=redis://127.0.0.1:6379/9 \\
        python -m benchmarks.fairness --photos FOLDER [--batch 500] [--letters 60] [--documents 20] [--only bulk]

Photographs of site B are uploaded over HTTP one after the other, and polled for: with an empty queue; while a batch of
site A waits, sent as bulk and as interactive; while a worker makes letters to a list of people of site A, and while
single documents of site A wait. There is one worker, which is stopped while the batch is uploaded: all of it waits.

The goal: B waits at most for one photograph more than with an empty queue. The wait in the queue is that of the
database, from ``queued_at`` to ``started_at``. The database is migrated and must be empty; the database of Redis is
emptied. It takes five minutes; ``--only`` chooses cases.
"""

import argparse
import statistics
import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.environment import machine, prepare, prepare_servers, read_photographs, wait_for_gradings

MEDIA = prepare()

from django.db import connection, connections  # noqa: E402 (after django.setup)

from benchmarks.clinics import Clinic, add_clinic  # noqa: E402
from benchmarks.rows_of_tables import Delays, rows_of_delays  # noqa: E402
from benchmarks.servers import Servers  # noqa: E402
from benchmarks.uploads import Clients, Measured  # noqa: E402
from ml.metrics.markdown import row_table  # noqa: E402
from screening.models import Document, Grading, LetterBatch, Membership, Patient  # noqa: E402
from screening.policy.letters import LetterVariant  # noqa: E402
from screening.reports import letter_batches  # noqa: E402
from screening.reports.requests import request_letter  # noqa: E402
from screening.selectors.due_list import DueFilters  # noqa: E402
from screening.services import letter_batches as batches  # noqa: E402

POLL_S = 0.02
N_CLIENTS = 4
N_EXAMS = 2000


@dataclass(frozen=True, slots=True)
class Case:
    """Work of site A: what begins it, and how much of it remains."""

    name: str
    begin: Callable[[], object]
    n_remaining: Callable[[], int]


def measure(case: Case, servers: Servers, site_b: Clients, *, n_photos: int) -> Delays:
    """Begin the work of site A, and upload photographs of site B meanwhile."""
    servers.pause_workers()
    case.begin()
    n_before = case.n_remaining()
    servers.resume_workers()
    measured = site_b.upload_some(n_photos)
    n_after = case.n_remaining()
    wait_for_gradings()
    return _delays(case.name, measured, n_before, n_after)


def _delays(name: str, measured: Measured, n_before: int, n_after: int) -> Delays:
    rows = Grading.objects.filter(pk__in=measured.gradings, status=Grading.Status.DONE)
    if rows.count() != len(measured.gradings) or measured.errors:
        raise RuntimeError(f"Photographs of site B were not graded, or refused: {measured.errors}.")
    times = list(rows.values_list("queued_at", "started_at", "finished_at"))
    queue_s = tuple((started - queued).total_seconds() for queued, started, _finished in times if started is not None)
    grading_s = [(finished - started).total_seconds() for _queued, started, finished in times if started and finished]
    return Delays(name, n_before, n_after, tuple(measured.graded_s), queue_s, statistics.median(grading_s))


def n_waiting(site_a: Clinic) -> int:
    """Photographs of a site that wait or are graded."""
    return Grading.objects.filter(queue_site=site_a.site, status=Grading.Status.QUEUED).count()


def begin_letters(clinic: Clinic) -> None:
    """Queue letters to all people of a site."""
    planned = letter_batches.plan_due_letters(site=clinic.site, filters=DueFilters(), by=clinic.user)
    batches.begin_batch(
        site=clinic.site, letters=planned.rows, variant=LetterVariant.STANDARD, batch_id=uuid.uuid4(), by=clinic.user
    )


def request_documents(clinic: Clinic) -> None:
    """Request a letter for each of the people of a site, each a separate document."""
    for patient in Patient.objects.filter(site=clinic.site).select_related("site"):
        request_letter(
            kind=Document.Kind.INVITATION_LETTER,
            patient=patient,
            review=None,
            variant=LetterVariant.STANDARD,
            by=clinic.user,
        )


def n_documents(clinic: Clinic) -> int:
    """Letters of a site that are not made yet, alone or with a list."""
    working = (Document.Status.QUEUED, Document.Status.RUNNING)
    n_alone = Document.objects.filter(site=clinic.site, status__in=working).count()
    unmade = LetterBatch.objects.filter(site=clinic.site, letters__document__isnull=True, letters__reason="")
    return n_alone + unmade.values("letters").count()


def cases(options: argparse.Namespace, port: int, photos: Sequence[bytes]) -> list[Case]:
    """All cases; the first one is the empty queue."""
    found = [Case("none", lambda: None, lambda: 0)]
    for name, is_bulk in (("bulk", True), ("interactive", False)):
        clinic = add_clinic(n_exams=N_EXAMS)
        site_a = Clients(port=port, clinic=clinic, photos=photos, is_bulk=is_bulk)
        send = partial(site_a.send, options.batch, n_clients=N_CLIENTS)
        found.append(Case(f"{options.batch} photographs, {name}", send, partial(n_waiting, clinic)))
    for name, n, begin in (
        ("letters to a list", options.letters, begin_letters),
        ("documents", options.documents, request_documents),
    ):
        clinic = add_clinic(n_to_invite=n, role=Membership.Role.MANAGER)
        found.append(Case(f"{n} {name}", partial(begin, clinic), partial(n_documents, clinic)))
    return [found[0], *(case for case in found[1:] if options.only in case.name)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of JPEG files")
    parser.add_argument("--batch", type=int, default=500, help="photographs of site A")
    parser.add_argument("--letters", type=int, default=60, help="letters to a list of people of site A")
    parser.add_argument("--documents", type=int, default=20, help="single documents of site A")
    parser.add_argument("--n-photos", type=int, default=20, help="photographs of site B in each case")
    parser.add_argument("--only", default="", help="part of the names of the cases to measure")
    options = parser.parse_args()
    prepare_servers()
    print(machine(), end="\n\n", flush=True)
    photos = read_photographs(options.photos, 1000)
    with tempfile.TemporaryDirectory() as folder:
        servers, delays = Servers(Path(folder), database=connection.settings_dict["NAME"]), []
        try:
            servers.start()
            clinic = add_clinic(n_exams=N_EXAMS)
            site_b = Clients(port=servers.port, clinic=clinic, photos=photos[::-1], poll_s=POLL_S)
            all_cases = cases(options, servers.port, photos)
            connections.close_all()
            servers.start_workers(1)
            site_b.upload_some(3)  # not measured: the first ones load the model
            for case in all_cases:
                delays.append(measure(case, servers, site_b, n_photos=options.n_photos))
                print(row_table(rows_of_delays(delays)).splitlines()[-1], flush=True)
        finally:
            servers.stop()
    print(f"\n{row_table(rows_of_delays(delays))}", end="")


if __name__ == "__main__":
    main()
