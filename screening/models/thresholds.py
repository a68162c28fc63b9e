"""Thresholds of sites: from which probability on an eye is flagged as referable. Rows are added and never changed."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.models.base import BaseModel
from screening.models.sites import Site


class SiteThreshold(BaseModel):
    """A threshold that a site uses from ``created_at`` on, for one version of a model; the newest row counts.

    ``temperature`` changes the five probabilities of the model (``ml.site_threshold``). ``measured`` holds what a
    fitted one reached on the site's photographs: counts, values with 95 % intervals, the day.
    """

    class Origin(models.TextChoices):
        MODEL = "model", _("The model's own")
        TABLE = "table", _("Chosen from the model's table")
        FITTED = "fitted", _("Fitted to photographs of the site")

    site = models.ForeignKey(Site, models.PROTECT, related_name="thresholds", verbose_name=_("site"))
    model_version = models.CharField(_("model version"), max_length=80)
    origin = models.CharField(_("origin"), max_length=8, choices=Origin.choices)
    operating_point = models.FloatField(
        _("operating point"), validators=[MinValueValidator(0.001), MaxValueValidator(0.999)]
    )
    temperature = models.FloatField(_("temperature"), default=1.0)
    measured = models.JSONField(_("measured on the photographs of the site"), default=dict, blank=True)
    reason = models.CharField(_("reason for the change"), max_length=500, blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("created by")
    )

    class Meta:
        verbose_name = _("threshold of a site")
        verbose_name_plural = _("thresholds of sites")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["site", "model_version", "-created_at"], name="threshold_in_use")]
        constraints = [
            models.CheckConstraint(
                condition=Q(origin__in=["model", "table", "fitted"]), name="site_threshold_origin_known"
            ),
            models.CheckConstraint(
                condition=Q(operating_point__gt=0.0, operating_point__lt=1.0, temperature__gt=0.0),
                name="site_threshold_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site}: {self.operating_point}"
