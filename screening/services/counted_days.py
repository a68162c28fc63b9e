"""Days of sites that have to be counted again."""

import datetime
import uuid
from collections.abc import Iterable

from screening.models import CountedDay, Site
from screening.selectors.changed_days import SiteDay, days_of_site


def mark_days(days: Iterable[SiteDay]) -> None:
    """Mark days, so that the next runs of the task count them."""
    rows = [CountedDay(site_id=site_id, day=day) for site_id, day in sorted(days, key=str)]
    CountedDay.objects.bulk_create(
        rows,
        batch_size=200,
        update_conflicts=True,
        unique_fields=["site", "day"],
        update_fields=["is_pending"],
    )


def mark_all_days(site: Site) -> None:
    """Mark each day that has an exam, and each that had one when it was counted: in another zone the days differ."""
    counted: Iterable[tuple[uuid.UUID, datetime.date]] = CountedDay.objects.filter(site=site).values_list("site", "day")
    mark_days(days_of_site(site) | set(counted))
