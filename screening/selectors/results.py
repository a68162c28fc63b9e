"""Signed results that count, newest first."""

import datetime
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet

from screening.access import restrict
from screening.models import Review, Site, User
from screening.selectors.reviews import IN_FORCE, without_unread


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFilters:
    """Filters of the signed results. Nothing in it identifies a patient: it can be part of an address."""

    site: Site | None = None
    outcome: str | None = None
    from_on: datetime.date | None = None
    """Signed on this day or later, by the day at the site of the result."""
    to_on: datetime.date | None = None

    def of_site(self, site: Site) -> "ResultFilters":
        """The same filters at one site."""
        return replace(self, site=site)


def list_results(*, user: User, filters: ResultFilters) -> QuerySet[Review]:
    """Results of the user's sites with exam, patient, site, reader and findings.

    Left out are those of exams that ``user`` was reading when a colleague signed them.
    """
    rows: Any = restrict(without_unread(Review.objects.filter(IN_FORCE), user), user)
    rows = rows.filter(exam__site__practice_of=None)
    if filters.site is not None:
        rows = rows.filter(exam__site=filters.site)
    if filters.outcome is not None:
        rows = rows.filter(outcome=filters.outcome)
    if filters.from_on is not None or filters.to_on is not None:
        zones = {site.timezone: site.zone for site in ([filters.site] if filters.site else Site.objects.all())}
        rows = rows.filter(reduce(or_, (_signed_between(filters, name, zone) for name, zone in zones.items()), Q()))
    listed: QuerySet[Review] = rows.select_related("exam__patient", "exam__site", "reviewer").order_by(
        "-signed_at", "pk"
    )
    return listed.prefetch_related("findings")


def _signed_between(filters: ResultFilters, name: str, zone: datetime.tzinfo) -> Q:
    """Results of the sites in a time zone that were signed from the first to the last day there."""
    found = Q(exam__site__timezone=name)
    if filters.from_on is not None:
        found &= Q(signed_at__gte=_start_of(filters.from_on, zone))
    if filters.to_on is not None:
        found &= Q(signed_at__lt=_start_of(filters.to_on + datetime.timedelta(days=1), zone))
    return found


def _start_of(day: datetime.date, zone: datetime.tzinfo) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time.min, tzinfo=zone)
