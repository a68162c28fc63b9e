"""Access rules: who may see or do what. The only file that names roles."""

from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Min, Model, QuerySet
from django.utils.translation import gettext as _

from screening.models import (
    AuditEvent,
    Correction,
    Exam,
    EyeFinding,
    FirstReading,
    FundusImage,
    Grading,
    Membership,
    Patient,
    PatientSearchTerm,
    PhotoUpload,
    ReadingDraft,
    Review,
    Site,
    SiteThreshold,
    User,
    VisitFacts,
    VisualAcuity,
)

M = TypeVar("M", bound=Model)
Role = Membership.Role


class Action(StrEnum):
    """What a user may do at a site."""

    VIEW_PATIENT = "view_patient"
    REGISTER_PATIENT = "register_patient"
    UPDATE_PATIENT = "update_patient"
    OPEN_EXAM = "open_exam"
    UPLOAD_IMAGE = "upload_image"
    WITHDRAW_IMAGE = "withdraw_image"
    SUBMIT_EXAM = "submit_exam"
    CANCEL_EXAM = "cancel_exam"
    CORRECT_RECORD = "correct_record"
    REVIEW_EXAM = "review_exam"
    VIEW_GRADE = "view_grade"
    """Of the model, also at a site that shows photographers the quality alone."""
    RETRY_GRADING = "retry_grading"
    PREDICT_PHOTO = "predict_photo"
    VIEW_AUDIT = "view_audit"
    MANAGE_SITE = "manage_site"


_ALL_ROLES = frozenset({Role.PHOTOGRAPHER, Role.REVIEWER, Role.MANAGER})
_PHOTOGRAPHING = frozenset({Role.PHOTOGRAPHER, Role.MANAGER})
ALLOWED: dict[Action, frozenset[Role]] = {
    Action.VIEW_PATIENT: _ALL_ROLES,
    Action.REGISTER_PATIENT: _PHOTOGRAPHING,
    Action.UPDATE_PATIENT: _PHOTOGRAPHING,
    Action.OPEN_EXAM: _PHOTOGRAPHING,
    Action.UPLOAD_IMAGE: _PHOTOGRAPHING,
    Action.WITHDRAW_IMAGE: _PHOTOGRAPHING,
    Action.SUBMIT_EXAM: _PHOTOGRAPHING,
    Action.CANCEL_EXAM: _PHOTOGRAPHING,
    Action.CORRECT_RECORD: frozenset({Role.REVIEWER, Role.MANAGER}),
    Action.REVIEW_EXAM: frozenset({Role.REVIEWER}),
    Action.VIEW_GRADE: frozenset({Role.REVIEWER, Role.MANAGER}),
    Action.RETRY_GRADING: _ALL_ROLES,
    Action.PREDICT_PHOTO: _ALL_ROLES,
    Action.VIEW_AUDIT: frozenset({Role.MANAGER}),
    Action.MANAGE_SITE: frozenset({Role.MANAGER}),
}

_SITE_OF: dict[type[Model], str] = {
    Site: "pk",
    Membership: "site",
    Patient: "site",
    PatientSearchTerm: "patient__site",
    Exam: "site",
    FundusImage: "exam__site",
    Grading: "image__exam__site",
    Review: "exam__site",
    EyeFinding: "review__exam__site",
    FirstReading: "exam__site",
    ReadingDraft: "exam__site",
    PhotoUpload: "exam__site",
    VisitFacts: "exam__site",
    AuditEvent: "site",
    Correction: "site",
    SiteThreshold: "site",
    VisualAcuity: "exam__site",
}


class AccessDenied(PermissionDenied):
    """The user may not do this at this site. The message is for the user."""


def site_of(record: Model) -> Site:
    """The site of a record. Raises KeyError for a model without a site."""
    if isinstance(record, Site):
        return record
    site: Site = attrgetter(_SITE_OF[type(record)].replace("__", "."))(record)
    return site


def sites_for(user: Any, action: Action = Action.VIEW_PATIENT) -> QuerySet[Site]:
    """Active sites where ``user`` may do ``action``; none for an unknown or inactive user."""
    if not isinstance(user, User) or not user.is_active:
        return Site.objects.none()
    memberships = Membership.objects.filter(user=user, role__in=ALLOWED[action])
    return Site.objects.filter(is_active=True, pk__in=memberships.values("site"))


def can(user: Any, action: Action, site: Site | None = None) -> bool:
    """Whether ``user`` may do ``action`` at ``site``, or at any site if None.

    A superuser needs a membership too: superusers administer, and do no clinical work.
    """
    sites = sites_for(user, action)
    return sites.exists() if site is None else sites.filter(pk=site.pk).exists()


READER = Role.REVIEWER.value
"""The role that reads exams, in the roles of audit events."""


def roles_without(action: Action) -> list[str]:
    """Roles that do not allow ``action``."""
    return [role.value for role in Role if role not in ALLOWED[action]]


def member_since(user: User, site: Site, action: Action = Action.VIEW_PATIENT) -> datetime | None:
    """Since when ``user`` may do ``action`` at ``site`` without a break: the first of the present roles; None: not."""
    memberships = Membership.objects.filter(user=user, site=site, role__in=ALLOWED[action])
    found: datetime | None = memberships.aggregate(at=Min("created_at"))["at"]
    return found


def require(user: Any, action: Action, site: Site | None = None) -> None:
    """Raises AccessDenied unless ``can(user, action, site)``."""
    if not can(user, action, site):
        raise AccessDenied(_("Your role at this site does not allow this. Ask the site's manager for access."))


def can_create_first_site(user: Any) -> bool:
    """Whether ``user`` is a superuser and there is no site yet."""
    return isinstance(user, User) and user.is_active and user.is_superuser and not Site.objects.exists()


def require_first_site(user: Any) -> None:
    """Raises AccessDenied unless ``can_create_first_site(user)``."""
    if not can_create_first_site(user):
        raise AccessDenied(_("The first site exists already. Add further sites in the administration panel."))


def add_manager(user: User, site: Site) -> Membership:
    """Make ``user`` a manager of ``site``. The caller records the audit event."""
    return Membership.objects.create(user=user, site=site, role=Role.MANAGER)


def restrict(queryset: QuerySet[M], user: Any) -> QuerySet[M]:
    """Rows of the user's active sites.

    A row of another site is then not found (404), so that its existence is not revealed. Raises KeyError for a model
    without a site.
    """
    path = _SITE_OF[queryset.model]
    return queryset.filter(**{f"{path}__in": sites_for(user)})
