"""Changes of the settings of a site. Rows are added and never changed, by a trigger."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.models.base import BaseModel
from screening.models.sites import Site
from screening.policy.site_settings import SettingsGroup


class SiteSettingsVersion(BaseModel):
    """One change of settings of one group. ``before`` and ``after`` have the changed settings alone.

    ``reason`` is empty for a change in the administration panel.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="settings_versions", verbose_name=_("site"))
    group = models.CharField(_("group"), max_length=20)
    number = models.PositiveIntegerField(_("version"))
    before = models.JSONField(_("before"))
    after = models.JSONField(_("after"))
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("created by")
    )

    class Meta:
        verbose_name = _("change of settings of a site")
        verbose_name_plural = _("changes of settings of sites")
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["site", "group", "number"], name="site_settings_version_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="site_settings_version_from_1"),
            models.CheckConstraint(
                condition=Q(group__in=[group.value for group in SettingsGroup]), name="site_settings_group_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site_id} {self.group} {self.number}"
