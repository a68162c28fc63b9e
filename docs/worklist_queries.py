"""Print how long the queries of the worklist take, with 50,000 exams; with ``--plans`` also the plans of PostgreSQL.

    DATABASE_URL=postgres://postgres@127.0.0.1/scratch python -m docs.worklist_queries [--plans]

The first call fills the database: it must be empty, and is of no use afterwards. Times are medians of some runs.
"""

import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 (after django.setup)
from django.db import connection  # noqa: E402
from django.db.models import QuerySet  # noqa: E402
from django.utils import timezone  # noqa: E402

from screening.models import (  # noqa: E402
    Exam,
    FirstReading,
    Membership,
    Patient,
    PatientSearchTerm,
    Site,
    User,
)
from screening.policy import ExamQuality  # noqa: E402
from screening.selectors import (  # noqa: E402
    Reading,
    WorklistFilters,
    WorklistSort,
    WorklistState,
    count_choices,
    count_worklist,
    search_worklist,
    worklist,
)

N_EXAMS, N_SITES, N_USER_SITES, N_NAMES, BATCH = 50_000, 5, 3, 3000, 5000
N_RUNS = 5
READERS = {"one-site": 1, "three-sites": N_USER_SITES, "colleague": N_SITES}
SEEDED = random.Random(0)  # noqa: S311 (made-up exams)


def fill() -> None:
    """Sites, readers, patients and exams: of 100 exams 40 wait for a reviewer, 4 are open, the others are signed."""
    sites = [Site.objects.create(name=f"Clinic {number}", code=f"clinic-{number}") for number in range(N_SITES)]
    users = []
    for name, n_sites in READERS.items():
        users.append(User.objects.create(username=name))
        for site in sites[:n_sites]:
            Membership.objects.create(user=users[-1], site=site, role=Membership.Role.REVIEWER)
    exams = [made_up_exam(patient, users[-1]) for patient in made_up_patients(sites)]
    Exam.objects.bulk_create(exams, BATCH)
    read = [exam for exam in exams if exam.status == "signed" or (exam.due_at and SEEDED.random() < 0.05)]
    reading = {"laterality": "OD", "is_gradable": True, "grade": 0, "is_blind_complete": True}
    FirstReading.objects.bulk_create(
        [FirstReading(exam=exam, reviewer=SEEDED.choice(users), **reading) for exam in read], BATCH
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def made_up_patients(sites: list[Site]) -> list[Patient]:
    """Stored patients with their search terms."""
    names = ["".join(SEEDED.choices("abcdefghijklmnoprstuvwz", k=7)) for _ in range(N_NAMES)]
    patients = [
        Patient(
            site=sites[number % N_SITES],
            mrn=f"{number:08}",
            family_name=SEEDED.choice(names),
            given_name=SEEDED.choice(names),
        )
        for number in range(N_EXAMS)
    ]
    Patient.objects.bulk_create(patients, BATCH)
    terms = [PatientSearchTerm(patient=one, term=term) for one in patients for term in set(one.full_name.split(", "))]
    PatientSearchTerm.objects.bulk_create(terms, BATCH)
    return patients


def made_up_exam(patient: Patient, opener: User) -> Exam:
    """An exam that is not stored."""
    status = SEEDED.choices(["submitted", "open", "signed"], [40, 4, 56])[0]
    submitted_at = None if status == "open" else timezone.now() - timedelta(minutes=SEEDED.randrange(60 * 24 * 20))
    return Exam(
        site=patient.site,
        patient=patient,
        opened_by=opener,
        status=status,
        submitted_at=submitted_at,
        due_at=submitted_at and submitted_at + timedelta(days=14),
        quality=SEEDED.choice(["good", "good", "good", "limited", "ungraded"]),
        worklist_rank=SEEDED.randrange(6),
        worklist_band=0 if SEEDED.random() < 0.1 else 3,
    )


def lists(user: User) -> Iterator[tuple[str, QuerySet[Exam]]]:
    """Name and first page of each list."""
    filters = {
        "order of reading": WorklistFilters(),
        "order of due times": WorklistFilters(sort=WorklistSort.DUE),
        "longest waiting": WorklistFilters(sort=WorklistSort.WAITING),
        "order of patients": WorklistFilters(sort=WorklistSort.PATIENT),
        "one site": WorklistFilters(site=Site.objects.get(code="clinic-0")),
        "overdue": WorklistFilters(is_overdue=True),
        "mine": WorklistFilters(is_mine=True),
        "not gradable": WorklistFilters(quality=ExamQuality.UNGRADED),
        "first reading": WorklistFilters(reading=Reading.FIRST),
        "second reading": WorklistFilters(reading=Reading.SECOND),
        "open exams": WorklistFilters(state=WorklistState.OPEN),
    }
    for name, chosen in filters.items():
        yield name, worklist(user=user, filters=chosen)[:25]
    yield "order of reading, page 100", worklist(user=user)[2475:2500]
    yield "search", search_worklist(user=user, filters=WorklistFilters(), text="ma")[:51]


def median_ms(query: Callable[[], object]) -> float:
    """Median time of some runs after a first one."""
    query()
    times = []
    for _ in range(N_RUNS):
        start = time.perf_counter()
        query()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def report(user: User, *, with_plans: bool) -> None:
    """Print the times of the lists and the counts of a user."""
    print(f"\n{user.username}")
    for name, exams in lists(user):
        print(f"{median_ms(lambda exams=exams: list(exams.all())):8.1f} ms  {name}")  # type: ignore[misc]
        if with_plans:
            print(exams.explain(analyze=True, buffers=True))
    counts: dict[str, Callable[[], object]] = {
        "number of exams": worklist(user=user).count,
        "numbers in the menu": partial(count_worklist, user=user),
        "numbers of the choices": partial(count_choices, user=user, filters=WorklistFilters()),
    }
    for name, query in counts.items():
        print(f"{median_ms(query):8.1f} ms  {name}")


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    if not Exam.objects.exists():
        fill()
    for username in ("one-site", "three-sites"):
        report(User.objects.get(username=username), with_plans="--plans" in sys.argv)
