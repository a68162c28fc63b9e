"""Who may see or do what. The only file that names roles."""

from enum import StrEnum
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from screening.models import (
    AuditEvent,
    Exam,
    EyeFinding,
    FirstReading,
    FundusImage,
    Grading,
    Membership,
    Patient,
    Review,
    Site,
    User,
)

M = TypeVar("M", bound=Model)
Role = Membership.Role


class Action(StrEnum):
    """What a person may want to do at a site."""

    VIEW_PATIENT = "view_patient"
    REGISTER_PATIENT = "register_patient"
    UPDATE_PATIENT = "update_patient"
    OPEN_EXAM = "open_exam"
    UPLOAD_IMAGE = "upload_image"
    WITHDRAW_IMAGE = "withdraw_image"
    SUBMIT_EXAM = "submit_exam"
    CANCEL_EXAM = "cancel_exam"
    REVIEW_EXAM = "review_exam"
    RETRY_GRADING = "retry_grading"
    PREDICT_PHOTO = "predict_photo"
    VIEW_AUDIT = "view_audit"
    MANAGE_SITE = "manage_site"


ANYBODY = frozenset({Role.PHOTOGRAPHER, Role.REVIEWER, Role.MANAGER})
_CAMERA = frozenset({Role.PHOTOGRAPHER, Role.MANAGER})
ALLOWED: dict[Action, frozenset[Role]] = {
    Action.VIEW_PATIENT: ANYBODY,
    Action.REGISTER_PATIENT: _CAMERA,
    Action.UPDATE_PATIENT: _CAMERA,
    Action.OPEN_EXAM: _CAMERA,
    Action.UPLOAD_IMAGE: _CAMERA,
    Action.WITHDRAW_IMAGE: _CAMERA,
    Action.SUBMIT_EXAM: _CAMERA,
    Action.CANCEL_EXAM: _CAMERA,
    Action.REVIEW_EXAM: frozenset({Role.REVIEWER}),
    Action.RETRY_GRADING: ANYBODY,
    Action.PREDICT_PHOTO: ANYBODY,
    Action.VIEW_AUDIT: frozenset({Role.MANAGER}),
    Action.MANAGE_SITE: frozenset({Role.MANAGER}),
}

_SITE_OF: dict[type[Model], str] = {
    Site: "pk",
    Membership: "site",
    Patient: "site",
    Exam: "site",
    FundusImage: "exam__site",
    Grading: "image__exam__site",
    Review: "exam__site",
    EyeFinding: "review__exam__site",
    FirstReading: "exam__site",
    AuditEvent: "site",
}


class AccessDenied(PermissionDenied):
    """The user may not do this at this site. The message is a sentence for the user."""


def sites_for(user: Any, action: Action = Action.VIEW_PATIENT) -> QuerySet[Site]:
    """Active sites where ``user`` may do ``action``; none for a stranger or a closed account."""
    if not isinstance(user, User) or not user.is_active:
        return Site.objects.none()
    memberships = Membership.objects.filter(user=user, role__in=ALLOWED[action])
    return Site.objects.filter(is_active=True, pk__in=memberships.values("site"))


def can(user: Any, action: Action, site: Site | None = None) -> bool:
    """Whether ``user`` may do ``action`` at ``site``; without a site: at any of theirs.

    A superuser acts by membership too: the admin panel is theirs, the clinic's work is not.
    """
    sites = sites_for(user, action)
    return sites.exists() if site is None else sites.filter(pk=site.pk).exists()


def require(user: Any, action: Action, site: Site | None = None) -> None:
    """Raises AccessDenied, with a sentence for the user, unless ``can(user, action, site)``."""
    if not can(user, action, site):
        raise AccessDenied(_("Your role at this site does not allow this. Ask the site's manager for access."))


def can_create_first_site(user: Any) -> bool:
    """Whether ``user`` runs the installation and no site is there yet: the one moment without roles."""
    return isinstance(user, User) and user.is_active and user.is_superuser and not Site.objects.exists()


def require_first_site(user: Any) -> None:
    """Raises AccessDenied, with a sentence for the user, unless ``can_create_first_site(user)``."""
    if not can_create_first_site(user):
        raise AccessDenied(_("The first site is open already. Further ones are made in the administration panel."))


def add_manager(user: User, site: Site) -> Membership:
    """Make ``user`` a manager of ``site``; for ``services.sites``, which records it."""
    return Membership.objects.create(user=user, site=site, role=Role.MANAGER)


def restrict(queryset: QuerySet[M], user: Any) -> QuerySet[M]:
    """Rows of the user's active sites. A row of another site is then not found (404), which tells less than 403.

    Raises KeyError for a model that belongs to no site.
    """
    path = _SITE_OF[queryset.model]
    return queryset.filter(**{f"{path}__in": sites_for(user)})
