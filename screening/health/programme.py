"""Checks of the programme: whether its periodic tasks run, and whether exams have a person who may read them.

Each returns a short text or raises HealthCheckError. The checks of components are in ``checks``.
"""

import datetime

from django.conf import settings
from django.utils import timezone

from screening.health.checks import HealthCheckError
from screening.models import (
    CountedDay,
    CountRun,
    DataImport,
    DriftCheck,
    Exam,
    LateReferralRun,
    Patient,
    RecallRun,
    Referral,
    Site,
)
from screening.policy.drift import last_whole_week
from screening.policy.imports import WORKING_STATES
from screening.selectors.bookings import count_unclosed_bookings
from screening.selectors.documents import batches_with_expired_files
from screening.selectors.readings import arbitrations_without_arbiter, second_readings_without_reader

MAX_RUN_AGE_H = 24
"""Of tasks that run every six hours: a run that is a day old is the last of several."""
MAX_IMPORT_PAUSE_MIN = 15
"""Far above STALLED_AFTER of ``services.imports.cleanup``, after which a periodic task has a worker continue."""
MAX_UNCLOSED_DAYS = 1
MAX_UNDELETED_DAYS = 1
MAX_COUNT_AGE_MIN = 15
"""The task runs each minute, for one minute at most."""

MAX_DRIFT_DELAY_DAYS = 2
"""The task runs every six hours; the week of a site ends up to a day after that of UTC."""


def check_readings() -> str:
    """Exams that wait for a second reader or a decision, and no person of their site may give it."""
    n_second, n_decision = second_readings_without_reader().count(), arbitrations_without_arbiter().count()
    if n_second or n_decision:
        raise HealthCheckError(
            f"{n_second} exams wait for a second reader and {n_decision} for a senior reviewer whom their site lacks"
        )
    return "each exam that waits has a person who may read it next"


def check_referrals() -> str:
    """The task that searches for late referrals."""
    run = LateReferralRun.objects.first()
    if run is None:
        if Referral.objects.exists():
            raise HealthCheckError("the search for late referrals has never run")
        return "there is none"
    return _check_age("late ones were searched", run.ran_at)


def check_recall() -> str:
    """The task that computes due dates."""
    run = RecallRun.objects.first()
    if run is None:
        if Patient.objects.filter(created_at__lt=timezone.now() - datetime.timedelta(days=1)).exists():
            raise HealthCheckError("due dates were never computed by the periodic task")
        return "no patient was registered more than a day ago"
    return _check_age("due dates were computed", run.ran_at)


def check_bookings() -> str:
    """The task that records who did not attend on the days that have passed."""
    n_unclosed = count_unclosed_bookings(days=MAX_UNCLOSED_DAYS)
    if n_unclosed:
        raise HealthCheckError(
            f"{n_unclosed} are still “booked” more than {MAX_UNCLOSED_DAYS} day after their day: "
            "who did not attend is not recorded"
        )
    return "none of a day that has passed is open"


def check_imports() -> str:
    """Imports of files that should be worked on, and are not."""
    before = timezone.now() - datetime.timedelta(minutes=MAX_IMPORT_PAUSE_MIN)
    n_stopped = DataImport.objects.filter(state__in=WORKING_STATES, worked_at__lt=before).count()
    if n_stopped:
        raise HealthCheckError(f"{n_stopped} stopped: no worker had them for {MAX_IMPORT_PAUSE_MIN} minutes")
    return "none has stopped"


def check_letters() -> str:
    """The task that deletes files of letters made at once."""
    before = timezone.now() - datetime.timedelta(days=MAX_UNDELETED_DAYS)
    n_kept = batches_with_expired_files(before).count()
    if n_kept:
        raise HealthCheckError(f"files of {n_kept} batches should have been deleted more than a day ago")
    return f"files are deleted after {settings.LETTER_FILES_DAYS} days"


def check_counts() -> str:
    """The task that counts for the dashboard."""
    run = CountRun.objects.first()
    if run is None:
        if Exam.objects.filter(created_at__lt=timezone.now() - datetime.timedelta(minutes=MAX_COUNT_AGE_MIN)).exists():
            raise HealthCheckError("the exams of the dashboard were never counted")
        return "there is no exam yet"
    minutes = (timezone.now() - run.ran_at).total_seconds() / 60
    if minutes > MAX_COUNT_AGE_MIN:
        raise HealthCheckError(f"exams were last counted {minutes:.0f} minutes ago")
    n_pending = CountedDay.objects.filter(is_pending=True).count()
    return f"counted {minutes:.0f} min ago; {n_pending} days have still to be counted"


def check_drift() -> str:
    """The task that compares the photographs of each week: a day after the end of a week all sites are checked."""
    before = timezone.now() - datetime.timedelta(days=MAX_DRIFT_DELAY_DAYS)
    monday, _sunday = last_whole_week(before.date())
    sites = Site.objects.filter(is_active=True, practice_of=None, created_at__lt=before)
    n_missing = sites.exclude(pk__in=DriftCheck.objects.filter(week__gte=monday).values("site")).count()
    if n_missing:
        raise HealthCheckError(f"the photographs of the week of {monday} were not compared at {n_missing} sites")
    return "the photographs of the last whole week were compared"


def _check_age(done: str, ran_at: datetime.datetime) -> str:
    """``done`` with the hours since. Raises HealthCheckError if it is too long ago."""
    hours = (timezone.now() - ran_at).total_seconds() / 3600
    message = f"{done} {hours:.0f} h ago"
    if hours > MAX_RUN_AGE_H:
        raise HealthCheckError(message)
    return message
