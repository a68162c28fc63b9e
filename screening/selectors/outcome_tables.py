"""Outcome tables of sites: the one in force, and all versions."""

import datetime
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from screening.access import restrict
from screening.models import Site, SiteOutcomeTable, User
from screening.policy import GradingScale, OutcomeTable, default_table
from screening.policy.default_outcomes import CURRENT_VERSION


@dataclass(frozen=True, slots=True)
class TableInForce:
    """The rules that count on a day: those of ``stored``, or the built-in ones if it is None."""

    stored: SiteOutcomeTable | None
    table: OutcomeTable

    @property
    def built_in_version(self) -> int | None:
        """The version of the built-in tables; None for a table of the site."""
        return CURRENT_VERSION if self.stored is None else None


def outcome_table_in_force(site: Site, day: datetime.date | None = None) -> TableInForce:
    """The table of the site for its scale on ``day``, today without it. One query."""
    day = day or timezone.localdate(timezone=site.zone)
    versions = _versions(site).filter(valid_from__lte=day).order_by("-valid_from", "-number")
    stored = versions.first()
    scale = GradingScale(site.scale)
    return TableInForce(stored, default_table(scale) if stored is None else stored.table)


def newest_version(site: Site) -> SiteOutcomeTable | None:
    """The version of the site for its scale that was stored last, in force or not; None if there is none."""
    return _versions(site).order_by("-number").first()


def list_outcome_tables(*, user: User, site: Site) -> QuerySet[SiteOutcomeTable]:
    """All versions of a site, for each scale, newest first."""
    tables = restrict(SiteOutcomeTable.objects.filter(site=site), user)
    return tables.select_related("created_by").order_by("-created_at", "pk")


def _versions(site: Site) -> QuerySet[SiteOutcomeTable]:
    return SiteOutcomeTable.objects.filter(site=site, scale=site.scale).select_related("created_by", "site")
