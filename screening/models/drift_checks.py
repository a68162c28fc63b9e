"""Weekly checks of drift: whether the photographs of a week at a site differ from those before."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from screening.models.sites import Site


class DriftCheck(models.Model):
    """The check of one site and week, once. ``changed``: codes of ``policy.drift.Feature`` with an alarm.

    ``result``: that of ``selectors.drift.stored_values``; None in checks of earlier versions. ``photographs``: the ids
    of those that are shown, under "then" and "now".
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="+", verbose_name=_("site"))
    week = models.DateField(_("Monday of the week"))
    changed = models.JSONField(_("what changed"), default=list, blank=True)
    result = models.JSONField(_("what was compared"), null=True, blank=True)
    photographs = models.JSONField(_("photographs of then and of now"), default=dict, blank=True)
    checked_at = models.DateTimeField(_("checked at"))

    class Meta:
        verbose_name = _("check of drift")
        verbose_name_plural = _("checks of drift")
        ordering = ["-week", "id"]
        constraints = [models.UniqueConstraint(fields=["site", "week"], name="drift_check_once_a_week")]

    def __str__(self) -> str:
        return f"{self.site_id} {self.week}"
