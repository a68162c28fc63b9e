"""Stored checks of drift: those that found a change, that of one site, and the photographs to look at."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from screening.access import restrict
from screening.models import DriftCheck, FundusImage, Site, User
from screening.policy.drift import last_whole_week, reference_of
from screening.selectors.drift import NOW, THEN, without_writing

MAX_ALERTS = 20
"""On one page; the dashboard of each site has its own."""


@dataclass(frozen=True, slots=True)
class PictureGroup:
    """Photographs of then, or of now, and the first and the last day of the period."""

    code: str
    from_on: datetime.date
    to_on: datetime.date
    images: list[FundusImage]


def drift_alerts(sites: Sequence[Site], today: datetime.date) -> list[DriftCheck]:
    """Checks of the last whole week that found a change, at most MAX_ALERTS, by the name of the site."""
    checks = DriftCheck.objects.filter(site__in=sites, week=last_whole_week(today)[0]).exclude(changed=[])
    return list(checks.select_related("site").order_by("site__name", "pk")[:MAX_ALERTS])


def newest_checks(sites: Sequence[Site], today: datetime.date) -> dict[object, DriftCheck]:
    """The check of the last whole week, or of the week before until then, by the id of the site; one query."""
    since = last_whole_week(today)[0] - datetime.timedelta(weeks=1)
    checks = DriftCheck.objects.filter(site__in=sites, week__gte=since, result__isnull=False)
    return {check.site_id: check for check in checks.order_by("week")}


def drift_pictures(check: DriftCheck | None, user: User) -> list[PictureGroup]:
    """Photographs of then and of now that the user may see, in the order of the sample; one query.

    Nothing without a check, and for a user who may not see the patients of the site.
    """
    if check is None or not check.photographs:
        return []
    ids = [one for group in check.photographs.values() for one in group]
    rows = restrict(without_writing(FundusImage.objects.filter(pk__in=ids, exam__site=check.site_id)), user)
    found = {str(image.pk): image for image in rows}
    periods = {THEN: reference_of(check.week), NOW: (check.week, check.week + datetime.timedelta(days=6))}
    groups = [
        PictureGroup(name, *days, [found[one] for one in check.photographs.get(name, ()) if one in found])
        for name, days in periods.items()
    ]
    return groups if found else []
