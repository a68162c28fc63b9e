"""Access rules: who may see or do what. The only file that names roles."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Min, Model, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from screening.held_roles import HeldRole, held_roles
from screening.models import Membership, Programme, ProgrammeMembership, Site, User
from screening.request_facts import only_reads
from screening.site_paths import MODELS_WITHOUT_PEOPLE, SITE_PATHS

M = TypeVar("M", bound=Model)
Role = Membership.Role


class Action(StrEnum):
    """What a user may do at a site."""

    VIEW_PATIENT = "view_patient"
    """See who the person is, and all records of the site."""
    VIEW_CASE = "view_case"
    """See exams, photographs and results without the person."""
    REGISTER_PATIENT = "register_patient"
    UPDATE_PATIENT = "update_patient"
    MANAGE_REGISTER = "manage_register"
    """Of people, invitations and what came of them."""
    OPEN_EXAM = "open_exam"
    UPLOAD_IMAGE = "upload_image"
    WITHDRAW_IMAGE = "withdraw_image"
    SUBMIT_EXAM = "submit_exam"
    CANCEL_EXAM = "cancel_exam"
    CORRECT_RECORD = "correct_record"
    REVIEW_EXAM = "review_exam"
    ARBITRATE_EXAM = "arbitrate_exam"
    """Decide between two readers who disagree, in an exam that the user has not read."""
    VIEW_GRADE = "view_grade"
    """Of the model, also at a site that shows photographers the quality alone."""
    RETRY_GRADING = "retry_grading"
    UPDATE_REFERRAL = "update_referral"
    """Record steps of a referral and the result of the hospital."""
    PREDICT_PHOTO = "predict_photo"
    VIEW_AUDIT = "view_audit"
    MANAGE_SITE = "manage_site"
    VIEW_TEACHING_SET = "view_teaching_set"
    READ_TEACHING_SET = "read_teaching_set"
    """Grade the exams of a teaching set and see what was signed afterwards."""


_ALL_ROLES = frozenset(Role) - {Role.OUTSIDE_READER, Role.TRAINEE}
_REVIEWING = frozenset({Role.REVIEWER, Role.SENIOR_REVIEWER})
_READING = _REVIEWING | {Role.OUTSIDE_READER}
_PHOTOGRAPHING = frozenset({Role.PHOTOGRAPHER, Role.MANAGER})
ALLOWED: dict[Action, frozenset[Role]] = {
    **dict.fromkeys((Action.VIEW_PATIENT, Action.VIEW_CASE), _ALL_ROLES | {Role.OUTSIDE_READER}),
    **dict.fromkeys((Action.REGISTER_PATIENT, Action.UPDATE_PATIENT, Action.MANAGE_REGISTER), _PHOTOGRAPHING),
    Action.OPEN_EXAM: _PHOTOGRAPHING,
    **dict.fromkeys((Action.UPLOAD_IMAGE, Action.WITHDRAW_IMAGE, Action.SUBMIT_EXAM), _PHOTOGRAPHING),
    Action.CANCEL_EXAM: _PHOTOGRAPHING,
    Action.CORRECT_RECORD: _REVIEWING | {Role.MANAGER},
    Action.REVIEW_EXAM: _READING,
    Action.ARBITRATE_EXAM: frozenset({Role.SENIOR_REVIEWER}),
    Action.VIEW_GRADE: _READING | {Role.MANAGER},
    **dict.fromkeys((Action.RETRY_GRADING, Action.PREDICT_PHOTO), _ALL_ROLES),
    Action.UPDATE_REFERRAL: _PHOTOGRAPHING,
    **dict.fromkeys((Action.VIEW_AUDIT, Action.MANAGE_SITE), frozenset({Role.MANAGER})),
    Action.VIEW_TEACHING_SET: _READING | {Role.TRAINEE, Role.MANAGER},
    Action.READ_TEACHING_SET: _READING | {Role.TRAINEE},
}
_PRACTICE = {
    Action.VIEW_PATIENT, Action.VIEW_CASE, Action.UPLOAD_IMAGE, Action.WITHDRAW_IMAGE, Action.SUBMIT_EXAM,
    Action.CANCEL_EXAM, Action.REVIEW_EXAM, Action.VIEW_GRADE, Action.RETRY_GRADING,
}  # fmt: skip
"""What the roles allow at a practice site: no register, referrals, management or real patients there."""
_PROGRAMME_ROLE = Role.MANAGER
"""What a programme manager is at every site of the programme."""


class AccessDenied(PermissionDenied):
    """The user may not do this at this site. The message is for the user."""


def _memberships(action: Action) -> QuerySet[Membership]:
    """Memberships that allow ``action``.

    That of an outside reader allows to view patients unless the site hides them from outside readers.
    """
    found = Membership.objects.filter(role__in=ALLOWED[action])
    if action is not Action.VIEW_PATIENT:
        return found
    return found.exclude(role=Role.OUTSIDE_READER, site__hides_identity=True)


def sites_for(user: Any, action: Action = Action.VIEW_PATIENT) -> QuerySet[Site]:
    """Active sites where ``user`` may do ``action``; none for an unknown or inactive user."""
    found = site_ids_for(user, action)
    return Site.objects.filter(pk__in=found) if isinstance(found, list) else found


def site_ids_for(user: Any, action: Action = Action.VIEW_PATIENT) -> QuerySet[Site] | list[uuid.UUID]:
    """``sites_for`` for a filter ``site__in``: the ids in a request that only reads, of which a query is faster."""
    if not isinstance(user, User) or not user.is_active:
        return Site.objects.none()
    if not only_reads():
        return _sites_of(user.pk, action).all()
    return sorted(allowed_sites(user, held_roles(user.pk), action))


def allowed_sites(user: Any, held: Iterable[HeldRole], action: Action) -> set[uuid.UUID]:
    """Ids of the sites of ``sites_for``, by roles that are read already."""
    if not isinstance(user, User) or not user.is_active:
        return set()
    return {one.site_id for one in held if allows_any([one], action)}


def allows_any(held: Iterable[HeldRole], action: Action) -> bool:
    """Whether one of the roles allows ``action`` at its site, of a user who is active."""
    usual = (one for one in held if one.is_active and (action in _PRACTICE or not one.is_practice))
    return any(_allows(one, action) for one in usual)


def _allows(held: HeldRole, action: Action) -> bool:
    """Whether the role allows ``action``: that of ``_memberships``, of a role that is read already."""
    role = held.role or _PROGRAMME_ROLE
    is_hidden = action is Action.VIEW_PATIENT and role == Role.OUTSIDE_READER and held.hides_identity
    return role in ALLOWED[action] and not is_hidden


@lru_cache(maxsize=4096)
def _sites_of(user_id: Any, action: Action) -> QuerySet[Site]:
    """The query, which is not executed here: a page needs it a dozen times, and each time it takes a while to build."""
    allowed = Q(pk__in=_memberships(action).filter(user=user_id).values("site"))
    if _PROGRAMME_ROLE in ALLOWED[action]:
        allowed |= Q(programme__in=ProgrammeMembership.objects.filter(user=user_id).order_by().values("programme"))
    sites = Site.objects.filter(allowed, is_active=True)
    return sites if action in _PRACTICE else sites.filter(practice_of=None)


def can(user: Any, action: Action, site: Site | None = None) -> bool:
    """Whether ``user`` may do ``action`` at ``site``, or at any site if None.

    A superuser needs a membership too: superusers administer, and do no clinical work.
    """
    sites = site_ids_for(user, action)
    if isinstance(sites, list):
        return bool(sites) if site is None else site.pk in sites
    return sites.exists() if site is None else sites.filter(pk=site.pk).exists()


def is_allowed(user: Any, action: Action, *, site: str) -> Exists:
    """``can`` for each row of a query; ``site`` is the path from a row to its site."""
    return Exists(sites_for(user, action).filter(pk=OuterRef(site)))


def sees_identity(user: Any, site: Site) -> bool:
    """Whether ``user`` sees who the patients of ``site`` are. The rule for rows is ``restrict``."""
    return can(user, Action.VIEW_PATIENT, site)


def hidden_people_sites(user: Any) -> QuerySet[Site]:
    """Active sites of which ``user`` sees exams, and not whose they are."""
    return sites_for(user, Action.VIEW_CASE).exclude(pk__in=sites_for(user).values("pk"))


def actions_of(user: Any) -> frozenset[Action]:
    """What ``user`` may do at any site, for the menu. At most one query."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    held = [one for one in held_roles(user.pk) if one.is_active]
    return frozenset(action for action in ALLOWED if any(_allows(one, action) for one in held))


def users_for(site: Site, action: Action) -> QuerySet[User]:
    """Active users who may do ``action`` at ``site``."""
    allowed = Q(pk__in=_memberships(action).filter(site=site).values("user"))
    if _PROGRAMME_ROLE in ALLOWED[action]:
        of_programme = ProgrammeMembership.objects.filter(programme__sites=site.pk).order_by()
        allowed |= Q(pk__in=of_programme.values("user"))
    return User.objects.filter(allowed, is_active=True)


def members_who(action: Action) -> QuerySet[Membership]:
    """Roles of active users at a site that allow ``action``, at all sites; without programme managers."""
    return Membership.objects.filter(role__in=ALLOWED[action], user__is_active=True)


READER = Role.REVIEWER.value
"""The first role that reads exams, in exports of marks."""
READING_ROLES = sorted(role.value for role in ALLOWED[Action.REVIEW_EXAM])
"""All roles that read exams."""


def roles_without(action: Action) -> list[str]:
    """Roles that do not allow ``action``."""
    return [role.value for role in Role if role not in ALLOWED[action]]


def member_since(user: User, site: Site, action: Action = Action.VIEW_PATIENT) -> datetime | None:
    """Since when ``user`` may do ``action`` at ``site`` without a break: the first of the present roles; None: not."""
    memberships = _memberships(action).filter(user=user, site=site)
    since = [memberships.aggregate(at=Min("created_at"))["at"]]
    if _PROGRAMME_ROLE in ALLOWED[action]:
        of_programme = ProgrammeMembership.objects.filter(user=user, programme__sites=site.pk)
        since.append(of_programme.aggregate(at=Min("created_at"))["at"])
    return min((at for at in since if at is not None), default=None)


def require(user: Any, action: Action, site: Site | None = None) -> None:
    """Raises AccessDenied unless ``can(user, action, site)``."""
    require_allowed(can(user, action, site))


def require_allowed(is_allowed: bool) -> None:
    """Raises AccessDenied unless it is allowed."""
    if not is_allowed:
        raise AccessDenied(_("Your role at this site does not allow this. Ask the site's manager for access."))


def sites_to_audit(user: Any) -> QuerySet[Site]:
    """Active sites whose audit events ``user`` may see: those of a manager; all for a superuser, without patients."""
    if is_superuser(user):
        return Site.objects.filter(is_active=True)
    return sites_for(user, Action.VIEW_AUDIT)


def managed_sites(user: Any) -> QuerySet[Site]:
    """Active sites that ``user`` manages; all for a superuser, without patients and figures by person."""
    if is_superuser(user):
        return Site.objects.filter(is_active=True, practice_of=None)
    return sites_for(user, Action.MANAGE_SITE)


def is_superuser(user: Any) -> bool:
    """Whether ``user`` is an active superuser, who administers the installation."""
    return isinstance(user, User) and user.is_active and user.is_superuser


def require_superuser(user: Any) -> None:
    """Raises AccessDenied unless ``is_superuser(user)``."""
    if not is_superuser(user):
        raise AccessDenied(_("Only an administrator of the installation may do this."))


def require_models(user: Any) -> None:
    """Raises AccessDenied unless ``user`` manages a site or is a superuser."""
    if not is_superuser(user):
        require(user, Action.MANAGE_SITE)


def programmes_for(user: Any) -> QuerySet[Programme]:
    """Programmes that ``user`` manages; all for a superuser, who creates them and chooses their sites."""
    if not isinstance(user, User) or not user.is_active:
        return Programme.objects.none()
    if user.is_superuser:
        return Programme.objects.all()
    return Programme.objects.filter(pk__in=ProgrammeMembership.objects.filter(user=user).order_by().values("programme"))


def require_programme(user: Any, programme: Programme) -> None:
    """Raises AccessDenied unless the programme is one of ``programmes_for(user)``."""
    if not programmes_for(user).filter(pk=programme.pk).exists():
        raise AccessDenied(_("You do not manage this programme. Ask one of its managers for access."))


def practice_roles() -> set[str]:
    """Roles of a person who practises, at the practice site alone: to photograph and to read."""
    return {Role.PHOTOGRAPHER.value, Role.REVIEWER.value}


def add_manager(user: User, site: Site) -> Membership:
    """Make ``user`` a manager of ``site``. The caller records the audit event."""
    return Membership.objects.create(user=user, site=site, role=Role.MANAGER)


def restrict(queryset: QuerySet[M], user: Any, action: Action = Action.VIEW_PATIENT) -> QuerySet[M]:
    """Rows of the active sites where ``user`` may do ``action``.

    A row of another site is then not found (404), so that its existence is not revealed. NB: rows for
    ``Action.VIEW_CASE`` are shown without the person. Raises KeyError for a model without a site.
    """
    path = SITE_PATHS[queryset.model]
    return queryset.filter(**{f"{path}__in": site_ids_for(user, action)})


def without_hidden_people(queryset: QuerySet[M], user: Any) -> QuerySet[M]:
    """The rows without those of people whom ``user`` may not see, of the panel that is not restricted to sites."""
    if queryset.model not in SITE_PATHS or queryset.model in MODELS_WITHOUT_PEOPLE:
        return queryset
    return queryset.exclude(**{f"{SITE_PATHS[queryset.model]}__in": hidden_people_sites(user)})
