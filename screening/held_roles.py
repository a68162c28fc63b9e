"""The roles that a user holds at sites, read once in a request that only reads."""

import uuid
from dataclasses import dataclass

from django.db.models import F, Value

from screening.models import Membership, ProgrammeMembership
from screening.request_facts import once_in_request

PROGRAMME = ""
"""In place of the role of a person who manages the programme of the site."""


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A membership at a site, or at a site by its programme (``PROGRAMME``)."""

    site_id: uuid.UUID
    role: str
    is_active: bool
    """Whether the site is."""
    hides_identity: bool
    is_practice: bool


def held_roles(user_id: uuid.UUID) -> tuple[HeldRole, ...]:
    """All roles of a user. One query; none if a request that only reads has asked before."""
    return once_in_request(("held roles", user_id), lambda: _load(user_id))


def _load(user_id: uuid.UUID) -> tuple[HeldRole, ...]:
    of_sites = Membership.objects.filter(user=user_id).order_by()
    columns = ("site__is_active", "site__hides_identity", "site__practice_of")
    rows = of_sites.values_list(F("site"), "role", *columns).union(
        ProgrammeMembership.objects.filter(user=user_id, programme__sites__isnull=False)
        .order_by()
        .values_list("programme__sites", Value(PROGRAMME), *(f"programme__sites__{name[6:]}" for name in columns))
    )
    return tuple(
        HeldRole(site, role, is_active, hides_identity, practice_of is not None)
        for site, role, is_active, hides_identity, practice_of in rows
    )
