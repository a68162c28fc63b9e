"""The roles that a user holds at sites, read once in a request that only reads."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from django.db.models import F, Model, QuerySet, Value

from screening.models import Site, User
from screening.request_facts import current_facts, once_in_request

M = TypeVar("M", bound=Model)

PROGRAMME = ""
"""In place of the role of a person who manages the programme of the site."""
_BLIND_FIRST = Site.ReadingMode.BLIND_FIRST
_SITE_COLUMNS = (
    "id", "is_active", "hides_identity", "practice_of", "reading_mode", "photographers_see_grades", "timezone",
)  # fmt: skip


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
    """All roles of a user. One query; none if a request that only reads has read them before."""
    users = User.objects.filter(pk=user_id).only("pk")
    return once_in_request(_key(user_id), lambda: _roles_in(_with_roles(users, "")))


def first_with_roles(rows: QuerySet[M], *, user: str) -> tuple[M | None, tuple[HeldRole, ...]]:
    """The first of ``rows`` with the roles of its user; ``user``: the path to the user. One query."""
    found = list(_with_roles(rows, f"{user}__"))
    return next(iter(found), None), _roles_in(found)


def keep_roles(user_id: uuid.UUID, roles: tuple[HeldRole, ...]) -> None:
    """Keep for the request the roles that its authentication has read."""
    facts = current_facts()
    if facts is not None:
        facts.kept[_key(user_id)] = roles


def roles_at_authentication(user_id: uuid.UUID) -> tuple[HeldRole, ...]:
    """As ``held_roles``, and without a query also in other requests, if the authentication has read them."""
    facts = current_facts()
    kept = None if facts is None else facts.kept.get(_key(user_id))
    return held_roles(user_id) if kept is None else kept


def _key(user_id: uuid.UUID) -> tuple[str, uuid.UUID]:
    return "held roles", user_id


def _with_roles(rows: QuerySet[M], user: str) -> QuerySet[M]:
    """Each row once for each role of its user, with its columns as ``held_...``; once with null without one.

    ``user`` is the path to the user with ``__``, or empty.
    """
    of_sites = _annotated(rows, f"{user}memberships__site", F(f"{user}memberships__role"))
    path = f"{user}programme_memberships__programme__sites"
    of_programmes = _annotated(rows.filter(**{f"{path}__isnull": False}), path, Value(PROGRAMME))
    return cast("QuerySet[M]", of_sites.union(of_programmes))


def _annotated(rows: QuerySet[Any], site: str, role: F | Value) -> QuerySet[Any]:
    columns = {f"held_{name}": F(f"{site}__{name}") for name in _SITE_COLUMNS}
    annotated: QuerySet[Any] = rows.order_by().annotate(held_role=role, **columns)
    return annotated


def _roles_in(rows: Iterable[Any]) -> tuple[HeldRole, ...]:
    return tuple(
        HeldRole(
            site_id=row.held_id,
            role=row.held_role,
            is_active=row.held_is_active,
            hides_identity=row.held_hides_identity,
            is_practice=row.held_practice_of is not None,
            is_blind_first=row.held_reading_mode == _BLIND_FIRST,
            photographers_see_grades=row.held_photographers_see_grades,
            timezone=row.held_timezone,
        )
        for row in rows
        if row.held_id is not None
    )
