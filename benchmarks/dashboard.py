"""Print how long the pages of the dashboard take, and counting a day, with generated exams.

    DATABASE_URL=postgres://postgres@127.0.0.1/scratch python -m benchmarks.dashboard [number of exams]

The first call fills the database, by default with 100,000 exams of three years at five sites: it must be empty, and is
of no use afterwards. The first ``N_RANDOM`` exams are random, the others are copies of them made by PostgreSQL.
The newest ``N_COUNTED`` days are counted, the days before have copies of these counts.
Times are the least and the median of ``N_RUNS`` whole requests: with other work on the machine, see the least.
"""

import logging
import os
import random
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "drsite.settings")
django.setup()

from django.conf import settings  # noqa: E402 (after django.setup)
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.models import Model, UUIDField  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks.times import times_ms  # noqa: E402
from screening.models import (  # noqa: E402
    CountedDay,
    DailyCount,
    Exam,
    EyeFinding,
    FirstReading,
    FundusImage,
    Grading,
    Membership,
    Patient,
    Review,
    Site,
    User,
)
from screening.policy.default_outcomes import CURRENT_VERSION  # noqa: E402
from screening.services.daily_counts import count_day, update_counts  # noqa: E402
from screening.services.drift_checks import check_drift  # noqa: E402

N_EXAMS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
N_SITES, N_DAYS, N_STAFF, N_RANDOM, N_COUNTED, BATCH = 5, 3 * 365, 12, 20_000, 28, 2000
N_RUNS = 11
SEEDED = random.Random(0)
CAMERAS = ("Alpha 3", "Beta NM", "")
OUTCOMES = {0: ("rescreen", "routine"), 1: ("rescreen", "routine"), 2: ("refer", "soon")}
MODEL = {"model": "accurate", "model_version": "student-0.4.0+00000000", "status": "done", "p_gradable": 0.9}


def fill() -> None:
    """Sites with a manager and staff, then exams in batches."""
    sites = [Site.objects.create(name=f"Clinic {number}", code=f"clinic-{number}") for number in range(N_SITES)]
    manager = User.objects.create(username="manager")
    staff = [User.objects.create(username=f"reader-{number:02}") for number in range(N_STAFF)]
    for site in sites:
        Membership.objects.create(user=manager, site=site, role=Membership.Role.MANAGER)
    n_random = min(N_EXAMS, N_RANDOM)
    for begin in range(0, n_random, BATCH):
        with transaction.atomic():
            fill_batch(sites, staff, range(begin, min(begin + BATCH, n_random)))
    with connection.cursor() as cursor:
        for model in (Patient, Exam, FundusImage, Grading, Review, EyeFinding, FirstReading):
            cursor.execute(copying(model), [N_EXAMS // n_random - 1])
        cursor.execute("ANALYZE")


def copying(model: type[Model]) -> str:
    """The statement that copies all rows some times, with other ids and numbers that stay unique."""
    ours = ("screening_patient", "screening_exam", "screening_fundusimage", "screening_review")
    names, values = [], []
    for column in model._meta.concrete_fields:
        related = column.related_model
        table = related._meta.db_table if isinstance(related, type) else model._meta.db_table
        name = f'"{column.column}"'
        if column.primary_key and not isinstance(column, UUIDField):
            continue
        names.append(name)
        if column.primary_key or (column.is_relation and table in ours):
            values.append(f"md5(old.{name}::text || k)::uuid")
        elif column.column in {"mrn", "folded_mrn"}:
            values.append(f"old.{name} || '-' || k")
        elif column.column == "sha256":
            values.append(f"md5(old.{name} || k) || md5(k || old.{name})")
        else:
            values.append(f"old.{name}")
    table = model._meta.db_table
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {table} old, generate_series(1, %s) k"  # noqa: S608, E501 (names of columns)


def fill_batch(sites: list[Site], staff: list[User], numbers: range) -> None:
    """Some exams: nine of ten are signed, by one reader who read blind."""
    patients = [Patient(site=sites[n % N_SITES], mrn=f"{n:08}", family_name=f"Name {n}") for n in numbers]
    Patient.objects.bulk_create(patients)
    now = timezone.now()
    exams, rows = [], GeneratedRecords()
    opened_at: dict[uuid.UUID, datetime] = {}
    for patient in patients:
        created_at = now - timedelta(minutes=SEEDED.randrange(60 * 24 * N_DAYS))
        is_signed = SEEDED.random() < 0.9
        status = "signed" if is_signed else "submitted"
        exam = Exam(site=patient.site, patient=patient, opened_by=staff[0], status=status)
        exam.submitted_at = exam.due_at = created_at + timedelta(minutes=30)
        opened_at[exam.pk] = created_at
        exams.append(exam)
        rows.add(exam, SEEDED.choice(staff), is_signed=is_signed)
    Exam.objects.bulk_create(exams)
    for exam in exams:  # bulk_create sets the present time
        exam.created_at = opened_at[exam.pk]
    Exam.objects.bulk_update(exams, ["created_at"])
    for model, found in (
        (FundusImage, rows.images),
        (Grading, rows.gradings),
        (Review, rows.reviews),
        (EyeFinding, rows.findings),
        (FirstReading, rows.first_readings),
    ):
        model.objects.bulk_create(found)


class GeneratedRecords:
    """Rows of a batch of exams that are not stored yet."""

    def __init__(self) -> None:
        self.images: list[Any] = []
        self.gradings: list[Any] = []
        self.reviews: list[Any] = []
        self.findings: list[Any] = []
        self.first_readings: list[Any] = []

    def add(self, exam: Exam, reader: User, *, is_signed: bool) -> None:
        """Photographs and gradings of both eyes and, if it is signed, what a person found."""
        truth = [SEEDED.choices(range(5), [70, 14, 11, 3, 2])[0] for _ in range(2)]
        worst, at = max(truth), as_moment(exam.submitted_at)
        outcome, urgency = OUTCOMES[min(worst, 2)]
        later = at + timedelta(minutes=SEEDED.randrange(5, 60 * 24 * 6))
        decided = {"outcome": outcome, "urgency": urgency, "built_in_version": CURRENT_VERSION}
        review = Review(exam=exam, reviewer=reader, signed_at=later, **decided)
        if is_signed:
            self.reviews.append(review)
        for eye, grade in zip(("OD", "OS"), truth, strict=True):
            self._add_photo(exam, reader, eye, near(grade))
            if is_signed:
                read = near(grade)
                values = {"laterality": eye, "is_gradable": True, "macular_oedema": "none"}
                self.findings.append(EyeFinding(review=review, grade=grade, **values))
                reading = FirstReading(exam=exam, reviewer=reader, grade=read, is_blind_complete=True, **values)
                self.first_readings.append(reading)

    def _add_photo(self, exam: Exam, reader: User, eye: str, grade: int) -> None:
        image = FundusImage(
            exam=exam,
            laterality=eye,
            sha256=uuid.UUID(int=SEEDED.getrandbits(128)).hex * 2,
            file="none.jpg",
            format="JPEG",
            width_px=2000,
            height_px=1500,
            n_bytes=1,
            camera=SEEDED.choice(CAMERAS),
            uploaded_by=reader,
        )
        self.images.append(image)
        at = as_moment(exam.submitted_at)
        grading = Grading(image=image, queued_at=at, finished_at=at, **MODEL)
        if SEEDED.random() < 0.06:
            grading.is_gradable, grading.quality_level, grading.quality_reasons = False, "ungradable", ["blurred"]
        else:
            p = 0.9 if grade >= 2 else 0.1
            grading.is_gradable, grading.quality_level, grading.grade = True, "good", grade
            grading.p_referable, grading.is_referable, grading.operating_point = p, grade >= 2, 0.5
            grading.probabilities = [0.2] * 5
        self.gradings.append(grading)


def as_moment(value: datetime | None) -> datetime:
    """The moment of an exam that was handed over."""
    assert value is not None  # noqa: S101 (for the type: each of these exams was)
    return value


def near(grade: int) -> int:
    """The grade, or one that a reader could confuse with it."""
    return min(4, max(0, grade + SEEDED.choices((-1, 0, 1), (6, 86, 8))[0]))


def count() -> None:
    """Count the newest days of each site, and copy their counts to the days before: all days would take hours."""
    start, n_days = time.perf_counter(), N_COUNTED * N_SITES
    if CountedDay.objects.exists() and not CountedDay.objects.filter(is_pending=True).exists():
        return
    while CountedDay.objects.filter(is_pending=False).count() < n_days:
        update_counts(max_s=5)
    newest = CountedDay.objects.filter(is_pending=False)
    print(f"{newest.count()} days of sites counted in {time.perf_counter() - start:.0f} s")
    first = timezone.now().date() - timedelta(days=N_COUNTED - 1)
    DailyCount.objects.filter(day__lt=first).delete()
    rows = DailyCount.objects.filter(day__gte=first)
    values = list(rows.values("site_id", "day", "dimension", "subject", "measure", "code", "n"))
    for block in range(1, N_DAYS // N_COUNTED):
        shift = timedelta(days=N_COUNTED * block)
        copies = [DailyCount(**{**row, "day": row["day"] - shift}) for row in values]
        DailyCount.objects.bulk_create(copies, batch_size=5000)
    CountedDay.objects.update(is_pending=False)
    start = time.perf_counter()
    print(f"drift of {check_drift()} sites checked in {time.perf_counter() - start:.0f} s")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as the server does by itself


def report() -> None:
    """Print the time of each page, and of counting one day."""
    client, manager = Client(), User.objects.get(username="manager")
    client.force_login(manager)
    site = Site.objects.order_by("code")[0]
    n_rows, n_days = DailyCount.objects.count(), CountedDay.objects.count()
    print(f"{Exam.objects.count()} exams, {n_rows} rows of counts, {n_days} days of sites")
    for period in ("28d", "90d", "12m"):
        for name, ids in (("dashboard", []), ("site-dashboard", [site.pk])):
            for page in ("", "agreement", "staff", "drift"):
                route, more = (f"screening:{name}-page", [page]) if page else (f"screening:{name}", [])
                address = reverse(route, args=[*ids, *more])
                text = f"{'one site' if ids else 'five sites'}, {period}, {page or 'overview'}"
                print(f"{times(partial(get, client, address, period))}  {text}")
    day = CountedDay.objects.order_by("day").filter(site=site)[200]
    print(f"{times(partial(count_day, site_id=site.pk, day=day.day))}  one day counted again")


def times(action: Callable[[], object]) -> str:
    """The least and the median time of some runs, after one that fills the caches."""
    action()
    found = times_ms(action, n_runs=N_RUNS)
    return f"{min(found):6.0f} ms least {statistics.median(found):6.0f} ms median"


def get(client: Client, address: str, period: str) -> None:
    """One request. Raises AssertionError for another answer than 200."""
    response = client.get(address, {"period": period})
    assert response.status_code == 200, response.status_code  # noqa: S101 (a measurement of errors is none)


if __name__ == "__main__":
    logging.disable(logging.INFO)
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SECURE_SSL_REDIRECT = False
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # nothing is collected here
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    call_command("migrate", verbosity=0)
    if not Exam.objects.exists():
        start = time.perf_counter()
        fill()
        print(f"filled in {time.perf_counter() - start:.0f} s")
    count()
    report()
