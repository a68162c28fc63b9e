"""Staff of a site: the persons with their roles there, open invitations, and the history."""

import uuid
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.shortcuts import get_object_or_404
from django.utils import timezone

from screening.access import Action, restrict, users_for
from screening.models import AuditEvent, Invitation, Membership, Site, StaffChange, User


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffState:
    """What a person may do at a site. ``roles`` of one who is inactive there are those until then.

    ``number`` is the newest version, 0 if no change was stored. ``version`` also tells changes that were not stored
    as one.
    """

    roles: tuple[str, ...]
    is_active: bool
    number: int

    @property
    def version(self) -> str:
        return f"{self.number}:{','.join(self.roles) if self.is_active else ''}"


def list_staff(*, user: User, site: Site) -> QuerySet[User]:
    """Persons who have or had a role at a site that ``user`` manages, with ``site_roles``; inactive ones last.

    ``last_seen_at``: of the newest audit event of the person, at any site.
    """
    memberships = restrict(Membership.objects.filter(site=site), user, Action.MANAGE_SITE)
    changes = restrict(StaffChange.objects.filter(site=site, user__isnull=False), user, Action.MANAGE_SITE)
    has_role = Exists(memberships.filter(user=OuterRef("pk")))
    people = User.objects.filter(Q(has_role) | Q(pk__in=changes.order_by().values("user")))
    roles = Prefetch("memberships", memberships.order_by("role"), to_attr="site_roles")
    order = ("-has_role", "last_name", "first_name", "username")
    events = AuditEvent.objects.filter(actor=OuterRef("pk")).order_by("-at", "-id")
    people = people.annotate(last_seen_at=Subquery(events.values("at")[:1]))
    return people.annotate(has_role=has_role).prefetch_related(roles).order_by(*order)


def count_active_staff(*, user: User, site: Site) -> int:
    """Number of persons with a role at a site that ``user`` manages, and an account that is not closed."""
    memberships = restrict(Membership.objects.filter(site=site), user, Action.MANAGE_SITE)
    return memberships.filter(user__is_active=True).order_by().values("user").distinct().count()


def get_staff_member(*, user: User, site: Site, user_id: uuid.UUID) -> User:
    """A person of a site that ``user`` manages. Raises Http404."""
    return get_object_or_404(list_staff(user=user, site=site), pk=user_id)


def staff_state(site: Site, person: User) -> StaffState:
    """What ``person`` may do at the site now. Two queries."""
    roles = Membership.objects.filter(site=site, user=person).order_by("role").values_list("role", flat=True)
    newest = StaffChange.objects.filter(site=site, user=person).order_by("-number").first()
    present = tuple(roles)
    number = 0 if newest is None or newest.number is None else newest.number
    before = () if newest is None else tuple(newest.roles)
    return StaffState(roles=present or before, is_active=bool(present), number=number)


def list_staff_changes(*, user: User, site: Site, person: User | None = None) -> QuerySet[StaffChange]:
    """Changes in the staff of a site that ``user`` manages, newest first; of one person, if given."""
    rows = restrict(StaffChange.objects.filter(site=site), user, Action.MANAGE_SITE)
    if person is not None:
        rows = rows.filter(user=person)
    return rows.select_related("user", "invitation", "created_by").order_by("-created_at", "pk")


def open_invitations(site: Site) -> QuerySet[Invitation]:
    """Invitations whose link works: not used, cancelled or expired, and of a person who still manages the site."""
    managers = users_for(site, Action.MANAGE_SITE).values("pk")
    rows = Invitation.objects.filter(
        site=site, used_at__isnull=True, cancelled_at__isnull=True, created_by__in=managers
    )
    return rows.filter(expires_at__gt=timezone.now()).select_related("created_by")
