"""Programmes: their sites with key states, managers, open invitations, and the history."""

import uuid
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404
from django.utils import timezone

from screening.access import programmes_for
from screening.models import Exam, Invitation, Membership, Programme, Referral, Site, StaffChange, User
from screening.policy.exam_states import WAITING
from screening.policy.referrals import CLOSED_STATES
from screening.selectors.worklist_filters import overdue


def list_programmes(user: User) -> QuerySet[Programme]:
    """Programmes that ``user`` manages, all for a superuser, with ``n_sites``."""
    active = Count("sites", filter=Q(sites__is_active=True))
    return programmes_for(user).annotate(n_sites=active).order_by("name", "pk")


def get_programme(*, user: User, programme_id: uuid.UUID) -> Programme:
    """A programme of ``list_programmes``. Raises Http404."""
    return get_object_or_404(programmes_for(user), pk=programme_id)


def list_programme_sites(programme: Programme) -> QuerySet[Site]:
    """Active sites of a programme with counts: staff, waiting and overdue exams, open referrals. One query."""
    staff = Membership.objects.filter(user__is_active=True)
    waiting = Exam.objects.filter(status__in=WAITING)
    referrals = Referral.objects.exclude(state__in=[state.value for state in CLOSED_STATES])
    sites = Site.objects.filter(programme=programme, is_active=True)
    return sites.annotate(
        n_staff=_count(staff, "user"),
        n_waiting=_count(waiting, "pk"),
        n_overdue=_count(waiting.filter(overdue()), "pk"),
        n_referrals=_count(referrals, "pk"),
    ).order_by("name", "pk")


def _count(rows: QuerySet[Any], column: str) -> Coalesce:
    """The number of different values of a column among the rows of a site."""
    of_site = rows.filter(site=OuterRef("pk")).order_by().values("site").annotate(n=Count(column, distinct=True))
    return Coalesce(Subquery(of_site.values("n"), output_field=IntegerField()), 0)


def list_managers(programme: Programme) -> QuerySet[User]:
    """The managers of a programme."""
    managers = User.objects.filter(programme_memberships__programme=programme)
    return managers.order_by("last_name", "first_name", "username")


def open_manager_invitations(programme: Programme) -> QuerySet[Invitation]:
    """Invitations to manage a programme whose link works."""
    senders = Q(created_by__is_superuser=True) | Q(created_by__in=list_managers(programme).order_by())
    rows = Invitation.objects.filter(senders, programme=programme, used_at=None, cancelled_at=None)
    return rows.filter(created_by__is_active=True, expires_at__gt=timezone.now()).select_related("created_by")


def list_manager_changes(programme: Programme) -> QuerySet[StaffChange]:
    """Changes in the managers of a programme, newest first."""
    rows = StaffChange.objects.filter(programme=programme).select_related("user", "invitation", "created_by")
    return rows.order_by("-created_at", "pk")
