"""Which registered bundle grades the new photographs of a site. Rows are added and never changed."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.labels.models import MODEL_CHOICES
from screening.models.base import BaseModel
from screening.models.bundles import RegisteredBundle
from screening.models.sites import Site


class BundleActivation(BaseModel):
    """From ``created_at`` on ``bundle`` grades in place of the released bundle of ``model``; None: the released one.

    The newest row of site and model counts. ``report`` holds what the gate found (``services.activations``), empty for
    the released bundle.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="activations", verbose_name=_("site"))
    model = models.CharField(_("model"), max_length=8, choices=MODEL_CHOICES)
    number = models.PositiveIntegerField(_("version"))
    bundle = models.ForeignKey(
        RegisteredBundle, models.PROTECT, related_name="activations", null=True, blank=True, verbose_name=_("bundle")
    )
    report = models.JSONField(_("report of the gate"), default=dict, blank=True)
    reason = models.CharField(_("reason"), max_length=500)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("created by")
    )

    class Meta:
        verbose_name = _("activation of a bundle")
        verbose_name_plural = _("activations of bundles")
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["site", "model", "number"], name="activation_number_once"),
            models.CheckConstraint(condition=Q(model__in=["accurate", "fast"]), name="activation_model_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="activation_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.site}: {self.bundle or '-'}"
