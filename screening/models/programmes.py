"""Programmes: several sites under one management, and who manages them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from screening.models.base import BaseModel


class Programme(BaseModel):
    """A screening programme. Its sites name it (``Site.programme``)."""

    name = models.CharField(_("name"), max_length=120, unique=True)

    class Meta:
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class ProgrammeMembership(BaseModel):
    """A programme manager: may do at every site of the programme what a manager of the site may."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="programme_memberships")
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="memberships")

    class Meta:
        verbose_name = _("programme manager")
        verbose_name_plural = _("programme managers")
        ordering = ["programme__name", "user__username"]
        constraints = [models.UniqueConstraint(fields=["user", "programme"], name="programme_membership_once")]

    def __str__(self) -> str:
        return f"{self.user}, {self.programme}"
