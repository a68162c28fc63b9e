"""Signed results that count, newest first."""

import datetime
import uuid
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain
from operator import or_

from django.db.models import Q, QuerySet

from screening.models import Review, Site, User
from screening.selectors.reviews import IN_FORCE, without_unread
from screening.selectors.sites import zones_of_sites


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
    """Results of the user's sites with exam, patient, site and reader.

    Left out are those of exams that ``user`` was reading when a colleague signed them.
    """
    rows = without_unread(Review.objects.filter(IN_FORCE, _of_sites(user, filters)), user)
    if filters.outcome is not None:
        rows = rows.filter(outcome=filters.outcome)
    return rows.select_related("exam__patient", "exam__site", "reviewer").order_by("-signed_at", "pk")


def _of_sites(user: User, filters: ResultFilters) -> Q:
    """Results of the user's sites, signed from the first to the last day at each. Practice sites have no results."""
    zones: dict[datetime.tzinfo, list[uuid.UUID]] = {}
    for site in zones_of_sites(user):
        if not site.is_practice and (filters.site is None or filters.site.pk == site.site_id):
            zones.setdefault(site.zone, []).append(site.site_id)
    if filters.from_on is None and filters.to_on is None:
        return Q(site__in=list(chain.from_iterable(zones.values())))
    return reduce(or_, (_signed_between(filters, zone, ids) for zone, ids in zones.items()), Q(pk__in=()))


def _signed_between(filters: ResultFilters, zone: datetime.tzinfo, sites: list[uuid.UUID]) -> Q:
    """Results of the sites in a time zone that were signed from the first to the last day there."""
    found = Q(site__in=sites)
    if filters.from_on is not None:
        found &= Q(signed_at__gte=_start_of(filters.from_on, zone))
    if filters.to_on is not None:
        found &= Q(signed_at__lt=_start_of(filters.to_on + datetime.timedelta(days=1), zone))
    return found


def _start_of(day: datetime.date, zone: datetime.tzinfo) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time.min, tzinfo=zone)
