"""The weekly task of drift: compares the photographs of the last whole week at each site, and stores what changed."""

from django.utils import timezone

from screening.models import DriftCheck, Site
from screening.policy.daily_counts import Period
from screening.policy.drift import last_whole_week
from screening.selectors.drift import drift_of, photographs_of_drift, stored_values


def check_drift() -> int:
    """Check each site whose last whole week was not checked yet. Returns how many.

    The task runs more often than weekly: weeks begin at another hour at each site, and a missed run is made up.
    """
    n_checked = 0
    for site in Site.objects.filter(is_active=True, practice_of=None).order_by("pk"):
        week = Period(*last_whole_week(timezone.localdate(timezone=site.zone)))
        if DriftCheck.objects.filter(site=site, week=week.from_on).exists():
            continue
        drift = drift_of(site, week)
        values = {
            "changed": [feature.value for feature, one in drift.differences.items() if one.is_alarm()],
            "result": stored_values(drift),
            "photographs": photographs_of_drift(site, week),
            "checked_at": timezone.now(),
        }
        n_checked += DriftCheck.objects.get_or_create(site=site, week=week.from_on, defaults=values)[1]
    return n_checked
