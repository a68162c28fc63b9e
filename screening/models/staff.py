"""Staff of a site: invitations, and each change of what a person may do there.

The roles themselves are memberships (``models.sites``): a person who is inactive at a site has none there.
"""

import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from screening.models.base import BaseModel
from screening.models.programmes import Programme
from screening.models.sites import Membership, Site

INVITATION_VALID_FOR = datetime.timedelta(days=7)


class Invitation(BaseModel):
    """An invitation of one person to a site, with a link that works once. Only the hash of its code is stored.

    Without a site it is one to manage ``programme``, and has no roles.
    ``is_mailed``: the link was sent to ``email``; else the manager passed it on.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="invitations", null=True)
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="invitations", null=True)
    email = models.EmailField(_("e-mail address"))
    roles = models.JSONField(_("roles"), default=list)
    code_hash = models.CharField(_("SHA-256 of the code"), max_length=64, unique=True)
    is_mailed = models.BooleanField(_("was sent by e-mail"), default=False)
    expires_at = models.DateTimeField(_("expires at"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["site", "-created_at"], name="invitation_by_site")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(used_at__isnull=True) | models.Q(cancelled_at__isnull=True),
                name="invitation_ends_once",
            ),
            models.CheckConstraint(
                condition=models.Q(site__isnull=False, programme__isnull=True)
                | models.Q(site__isnull=True, programme__isnull=False),
                name="invitation_to_site_or_programme",
            ),
        ]

    def __str__(self) -> str:
        return f"Invitation {self.id}"

    @property
    def role_labels(self) -> list[str]:
        return [str(_("Programme manager"))] if self.site is None else role_labels(self.roles)

    @property
    def workplace(self) -> str:
        """The name of the site or the programme, for the invited person."""
        return str(self.site or self.programme)

    @property
    def zone(self) -> datetime.tzinfo:
        """The time zone of the site; that of the installation for a programme."""
        return timezone.get_default_timezone() if self.site is None else self.site.zone


class StaffChange(BaseModel):
    """One change in the staff of a site, or in the managers of a programme. Append-only by a trigger.

    ``roles`` and ``is_active`` are those after the change; ``number`` is the version of the person at the site, none
    for an invitation whose person is not known yet.
    """

    class Kind(models.TextChoices):
        INVITED = "invited", _("Invited")
        INVITATION_CANCELLED = "cancelled", _("Invitation cancelled")
        JOINED = "joined", _("Accepted an invitation")
        ROLES_CHANGED = "roles", _("Roles changed")
        DEACTIVATED = "deactivated", _("Deactivated")
        REACTIVATED = "reactivated", _("Reactivated")

    site = models.ForeignKey(Site, models.PROTECT, related_name="staff_changes", null=True)
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="staff_changes", null=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="staff_changes", null=True)
    number = models.PositiveIntegerField(_("version"), null=True)
    invitation = models.ForeignKey(Invitation, models.PROTECT, related_name="changes", null=True)
    roles = models.JSONField(_("roles"), default=list)
    is_active = models.BooleanField(_("is active"), default=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("change in the staff of a site")
        verbose_name_plural = _("changes in the staff of sites")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["site", "-created_at"], name="staff_change_by_site")]
        constraints = [
            models.UniqueConstraint(fields=["site", "user", "number"], name="staff_version_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["invited", "cancelled", "joined", "roles", "deactivated", "reactivated"]),
                name="staff_change_kind_known",
            ),
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, number__gte=1)
                | models.Q(user__isnull=True, number__isnull=True, invitation__isnull=False),
                name="staff_change_names_someone",
            ),
            models.UniqueConstraint(fields=["programme", "user", "number"], name="programme_staff_version_once"),
            models.CheckConstraint(
                condition=models.Q(site__isnull=False, programme__isnull=True)
                | models.Q(site__isnull=True, programme__isnull=False),
                name="staff_change_at_site_or_programme",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.site_id or self.programme_id}"

    @property
    def role_labels(self) -> list[str]:
        return [str(_("Programme manager"))] if self.site_id is None else role_labels(self.roles)


def role_labels(roles: list[str]) -> list[str]:
    """The names of roles in their usual order."""
    return [str(role.label) for role in Membership.Role if role.value in roles]
