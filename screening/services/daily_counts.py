"""The task that keeps the counts of the dashboard: days whose exams changed are counted again.

What is counted are stored rows: a day that is counted twice has the same counts, and a missed run is made up by the
next one. The first run marks all days; each run counts for a limited time, the newest days first.
"""

import datetime
import time
import uuid
from collections import Counter
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from screening.models import CountedDay, CountRun, DailyCount, Site
from screening.policy.daily_counts import NO, YES, CountKey, Measure, count_exams
from screening.selectors.changed_days import (
    Changes,
    SiteDay,
    changes_since,
    count_invited,
    days_of_site,
    days_of_unread,
)
from screening.selectors.due_list import OUT_OF_REGISTER, count_register
from screening.selectors.exam_facts import facts_of_day
from screening.services.counted_days import mark_days

OVERLAP = datetime.timedelta(minutes=5)
"""Events of the last minutes are read again: a transaction can end after a later one."""
RECOUNTED_DAYS = 35
"""At the first run of each day the days of the last weeks are counted again, also those without an event."""
REGISTER_EVERY = datetime.timedelta(minutes=10)
"""People are counted no more often: it takes a second for some hundred thousand."""
MAX_RUN_S = 40.0
_OF_REGISTER = (Measure.REGISTER, Measure.COVERED)


def update_counts(*, max_s: float = MAX_RUN_S) -> CountRun:
    """Mark the days that have changed, and count those that are marked for at most ``max_s`` seconds."""
    deadline = time.monotonic() + max_s
    _mark_changed_days()
    _count_registers()
    for site_id, day in _pending_days(deadline):
        count_day(site_id=site_id, day=day)
    run = CountRun.objects.get()
    run.ran_at, run.n_pending = timezone.now(), CountedDay.objects.filter(is_pending=True).count()
    run.save(update_fields=["ran_at", "n_pending"])
    return run


@transaction.atomic
def count_day(*, site_id: uuid.UUID, day: datetime.date) -> None:
    """Count the exams of a day at a site and the people invited on it."""
    counted = _locked_day(site_id, day)
    site = Site.objects.get(pk=site_id)  # NB: after the lock, which a change of the time zone waits for
    counts = count_exams(facts_of_day(site=site, day=day))
    n_invited, n_attended = count_invited(site=site, day=day)
    counts[CountKey(Measure.INVITED, YES)] = n_attended
    counts[CountKey(Measure.INVITED, NO)] = n_invited - n_attended
    _store(site, day, counts, measures=[one for one in Measure if one not in _OF_REGISTER])
    counted.is_pending, counted.counted_at = False, timezone.now()
    counted.save(update_fields=["is_pending", "counted_at"])


@transaction.atomic
def count_people(*, site: Site, day: datetime.date) -> None:
    """Count the people of a site by their state today, and those whose last screening is still valid."""
    counted = _locked_day(site.pk, day)
    states, n_valid = count_register(site)
    n_eligible = sum(n for state, n in states.items() if state not in OUT_OF_REGISTER)
    counts = Counter({CountKey(Measure.REGISTER, state.value): n for state, n in states.items()})
    counts[CountKey(Measure.COVERED, YES)] = n_valid
    counts[CountKey(Measure.COVERED, NO)] = n_eligible - n_valid
    _store(site, day, counts, measures=_OF_REGISTER)
    counted.is_register_pending, counted.register_counted_at = False, timezone.now()
    counted.save(update_fields=["is_register_pending", "register_counted_at"])


@transaction.atomic
def _mark_changed_days() -> None:
    """Read the changes since the last run and mark their days; all days in the first run."""
    now = timezone.now()
    run, is_first = CountRun.objects.select_for_update().get_or_create(
        id=1, defaults={"ran_at": now, "read_until": now}
    )
    sites = list(Site.objects.filter(is_active=True))
    changes = Changes() if is_first else changes_since(run.read_until - OVERLAP)
    changes.days |= days_of_unread()
    for site in sites:
        today = timezone.localdate(now, site.zone)
        if is_first or not CountedDay.objects.filter(site=site, day=today).exists():
            since = None if is_first else today - datetime.timedelta(days=RECOUNTED_DAYS)
            changes.days |= days_of_site(site, since=since) | {(site.pk, today)}
            changes.registers.add(site.pk)
    mark_days(changes.days)
    for site in sites:
        if site.pk in changes.registers:
            of_today = CountedDay.objects.filter(site=site, day=timezone.localdate(now, site.zone))
            of_today.update(is_register_pending=True)
    run.read_until = now
    run.save(update_fields=["read_until"])


def _pending_days(deadline: float) -> Iterable[SiteDay]:
    """The marked days, the newest first, until the time is over."""
    pending = CountedDay.objects.filter(is_pending=True).order_by("-day", "pk")
    for site_day in list(pending.values_list("site", "day")):
        if time.monotonic() > deadline:
            return
        yield site_day


def _count_registers() -> None:
    for site in Site.objects.filter(is_active=True).order_by("pk"):
        today = timezone.localdate(timezone=site.zone)
        row = CountedDay.objects.filter(site=site, day=today, is_register_pending=True).first()
        if row is None:
            continue
        counted_at = row.register_counted_at
        if counted_at is None or timezone.now() - counted_at >= REGISTER_EVERY:
            count_people(site=site, day=today)


def _locked_day(site_id: uuid.UUID, day: datetime.date) -> CountedDay:
    row, _is_new = CountedDay.objects.select_for_update().get_or_create(site_id=site_id, day=day)
    return row


def _store(site: Site, day: datetime.date, counts: Counter[CountKey], *, measures: Iterable[Measure]) -> None:
    """Make the stored counts of a day equal to ``counts``; rows that are equal stay as they are."""
    stored = DailyCount.objects.filter(site=site, day=day, measure__in=list(measures))
    rows = {(row.dimension, row.subject, row.measure, row.code): row for row in stored}
    wanted = {(key.dimension.value, key.subject, key.measure.value, key.code): n for key, n in counts.items() if n}
    DailyCount.objects.filter(pk__in=[row.pk for key, row in rows.items() if key not in wanted]).delete()
    changed = [row for key, row in rows.items() if wanted.get(key, row.n) != row.n]
    for row in changed:
        row.n = wanted[row.dimension, row.subject, row.measure, row.code]
    DailyCount.objects.bulk_update(changed, ["n"], batch_size=200)
    DailyCount.objects.bulk_create(
        [
            DailyCount(site=site, day=day, dimension=key[0], subject=key[1], measure=key[2], code=key[3], n=n)
            for key, n in wanted.items()
            if key not in rows
        ],
        batch_size=500,
    )
