"""Print how long an import and exports of many people take, with the peak of the memory.

    DATABASE_URL=postgres://postgres@127.0.0.1/scratch MEDIA_ROOT=/tmp/x python -m benchmarks.imports [ROWS] [csv|xlsx]

It fills the database, which must be empty, and is of no use afterwards. While the rows are written, a thread registers
another person at another site: its longest wait is what a page would wait.
"""

import csv
import io
import os
import random
import resource
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")
django.setup()

from django.conf import settings  # noqa: E402 (after django.setup)
from django.core.files.base import File  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import OperationalError, close_old_connections  # noqa: E402
from openpyxl import Workbook  # noqa: E402

from screening.models import DataImport, Membership, Patient, Site, User  # noqa: E402
from screening.policy.imports import WORKING_STATES, ImportKind  # noqa: E402
from screening.selectors.due_list import DueFilters  # noqa: E402
from screening.services.exports.people import export_due_list  # noqa: E402
from screening.services.imports import queue  # noqa: E402
from screening.services.imports.jobs import apply_import, begin_import  # noqa: E402
from screening.services.imports.work import work_on_import  # noqa: E402
from screening.services.patients import register_patient  # noqa: E402
from screening.spreadsheets.writing import FileFormat  # noqa: E402

HEAD = ("mrn", "family_name", "given_name", "born_on", "sex", "diabetes_type", "diabetes_since_year", "phone")
N_FAMILY_NAMES, N_GIVEN_NAMES = 20_000, 2000
SEEDED = random.Random(0)


def people(n_rows: int) -> Iterator[tuple[object, ...]]:
    """Rows of made-up people; some have the same names."""
    for n in range(n_rows):
        born = f"{SEEDED.randint(1930, 2010)}-{SEEDED.randint(1, 12):02}-{SEEDED.randint(1, 28):02}"
        family, given = SEEDED.randrange(N_FAMILY_NAMES), SEEDED.randrange(N_GIVEN_NAMES)
        yield (f"N{n:07}", f"Family{family:x}", f"Given{given:x}", born, "F", "2", 2012, f"020 {n:07}")


def file_of(n_rows: int, file_format: str) -> "File[bytes]":
    """The file to import."""
    content = io.BytesIO()
    if file_format == "xlsx":
        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        for row in (HEAD, *people(n_rows)):
            sheet.append(list(row))
        book.save(content)
    else:
        text = io.StringIO()
        csv.writer(text).writerows((HEAD, *people(n_rows)))
        content = io.BytesIO(text.getvalue().encode())
    return File(content, name="people")


@contextmanager
def measured(name: str, n_rows: int) -> Iterator[None]:
    """Print the time of a step, and the peak of the memory of the process so far."""
    start = time.monotonic()
    yield
    seconds = time.monotonic() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:34} {seconds:8.1f} s {n_rows / seconds:10.0f} rows/s   peak {peak:6.0f} MiB", flush=True)


def work(data_import: DataImport, state: str) -> None:
    """The steps of a worker while the import is in a state."""
    while True:
        data_import.refresh_from_db()
        if data_import.state != state or data_import.state not in WORKING_STATES:
            return
        work_on_import(import_id=data_import.pk)


def register_meanwhile(site: Site, user: User, is_over: Callable[[], bool], waits: list[float]) -> None:
    """Register people at another site until the import is written."""
    while not is_over():
        start = time.monotonic()
        with suppress(OperationalError):  # SQLite: the writer was waited for too long
            register_patient(site=site, mrn=f"M{len(waits)}", family_name=f"Meanwhile{len(waits)}", by=user)
        waits.append(time.monotonic() - start)
        time.sleep(0.2)
    close_old_connections()


def measure_exports(site: Site, user: User, n_rows: int) -> None:
    """The due list as both formats."""
    for file_format in FileFormat:
        with measured(f"export of the due list, {file_format}", n_rows):
            _consume(export_due_list(site=site, filters=DueFilters(), text="", file_format=file_format, by=user).chunks)


def _consume(chunks: Iterable[bytes]) -> None:
    for _chunk in chunks:
        pass


def _publish(import_id: uuid.UUID) -> None:
    """Send nothing: this process does the work."""


def main() -> None:
    """Import, and export what was imported."""
    n_rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    file_format = sys.argv[2] if len(sys.argv) > 2 else "csv"
    call_command("migrate", verbosity=0)
    queue.publish = _publish
    site, other = (Site.objects.create(name=code, code=code) for code in ("clinic", "other"))
    user = User.objects.create(username="manager")
    for one in (site, other):
        Membership.objects.create(user=user, site=one, role=Membership.Role.MANAGER)
    print(f"{settings.DATABASES['default']['ENGINE'].rpartition('.')[2]}, {n_rows} rows, {file_format}")
    file = file_of(n_rows, file_format)
    data_import = begin_import(site=site, kind=ImportKind.PEOPLE, file=file, by=user)
    file.close()
    with measured("reading the file", n_rows):
        work(data_import, "reading")
    with measured("checking the rows", n_rows):
        work(data_import, "checking")
    print(f"  new {data_import.n_new}, questions {data_import.n_question}, refused {data_import.n_refused}")
    apply_import(data_import=data_import, leaves_out=True, by=user)
    waits: list[float] = []
    is_over = threading.Event()
    meanwhile = threading.Thread(target=register_meanwhile, args=(other, user, is_over.is_set, waits))
    meanwhile.start()
    with measured("writing, and deleting staged rows", n_rows):
        work(data_import, "applying")
    is_over.set()
    meanwhile.join()
    print(f"  longest wait of another registration: {max(waits):.1f} s, in {len(waits)}")
    measure_exports(site, user, Patient.objects.filter(site=site).count())


if __name__ == "__main__":
    main()
