"""The roles that a user holds at sites, read once in a request that only reads."""

import uuid
from dataclasses import dataclass

from django.db.models import F, Value

from screening.models import Membership, ProgrammeMembership, Site
from screening.request_facts import once_in_request

PROGRAMME = ""
"""In place of the role of a person who manages the programme of the site."""
_BLIND_FIRST = Site.ReadingMode.BLIND_FIRST


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A membership at a site, or at a site by its programme (``PROGRAMME``), with what decides how the site is seen."""

    site_id: uuid.UUID
    role: str
    is_active: bool
    """Whether the site is."""
    hides_identity: bool
    is_practice: bool
    is_blind_first: bool
    """Whether its readers read blind first."""
    photographers_see_grades: bool | None
    timezone: str


def held_roles(user_id: uuid.UUID) -> tuple[HeldRole, ...]:
    """All roles of a user. One query; none if a request that only reads has asked before."""
    return once_in_request(("held roles", user_id), lambda: _load(user_id))


def _load(user_id: uuid.UUID) -> tuple[HeldRole, ...]:
    of_sites = Membership.objects.filter(user=user_id).order_by()
    names = ("is_active", "hides_identity", "practice_of", "reading_mode", "photographers_see_grades", "timezone")
    columns = [f"site__{name}" for name in names]
    rows = of_sites.values_list(F("site"), "role", *columns).union(
        ProgrammeMembership.objects.filter(user=user_id, programme__sites__isnull=False)
        .order_by()
        .values_list("programme__sites", Value(PROGRAMME), *(f"programme__sites__{name}" for name in names))
    )
    return tuple(
        HeldRole(site, role, is_active, hides_identity, practice_of is not None, mode == _BLIND_FIRST, *rest)
        for site, role, is_active, hides_identity, practice_of, mode, *rest in rows
    )
