"""Reading protocols of sites. Rows are added and never changed, by a trigger: signed readings name them."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.labels.choices import values
from screening.labels.protocols import PROTOCOL_KIND_CHOICES
from screening.models.base import BaseModel
from screening.models.sites import Site
from screening.policy.protocols import DEFAULT_NEGATIVE_PERCENT, Protocol, ProtocolKind
from screening.policy.repeats import (
    DEFAULT_REPEAT_PERCENT,
    DEFAULT_REPEAT_WEEKS,
    MAX_REPEAT_WEEKS,
    MIN_REPEAT_WEEKS,
)


class SiteProtocol(BaseModel):
    """One version of the reading protocol of a site; the one with the highest number counts, from its storage on.

    Exams that were signed once by an earlier version keep its demands. ``measured`` has the figures by which triage
    was allowed: counts of flagged and of all referable eyes.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="protocols", verbose_name=_("site"))
    number = models.PositiveIntegerField(_("version"))
    kind = models.CharField(_("readers of an exam"), max_length=20, choices=PROTOCOL_KIND_CHOICES)
    negative_percent = models.PositiveSmallIntegerField(
        _("negatives that are read twice, in per cent"),
        default=DEFAULT_NEGATIVE_PERCENT,
        validators=[MaxValueValidator(100)],
    )
    arbitrates_any_difference = models.BooleanField(
        _("any difference of a grade goes to a senior reviewer"), default=False
    )
    repeat_percent = models.PositiveSmallIntegerField(
        _("signed exams that come back to their reader, in per cent"),
        default=DEFAULT_REPEAT_PERCENT,
        validators=[MaxValueValidator(100)],
    )
    repeat_weeks = models.PositiveSmallIntegerField(
        _("weeks until they come back"),
        default=DEFAULT_REPEAT_WEEKS,
        validators=[MinValueValidator(MIN_REPEAT_WEEKS), MaxValueValidator(MAX_REPEAT_WEEKS)],
    )
    measured = models.JSONField(_("measured on signed eyes of the site"), default=dict, blank=True)
    reason = models.CharField(_("reason"), max_length=300)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("created by")
    )

    class Meta:
        verbose_name = _("reading protocol of a site")
        verbose_name_plural = _("reading protocols of sites")
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["site", "number"], name="protocol_version_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="protocol_version_from_1"),
            models.CheckConstraint(condition=Q(kind__in=values(ProtocolKind)), name="protocol_kind_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="protocol_has_reason"),
            models.CheckConstraint(
                condition=Q(negative_percent__lte=100, repeat_percent__lte=100), name="protocol_percent_in_range"
            ),
            models.CheckConstraint(
                condition=Q(repeat_weeks__gte=MIN_REPEAT_WEEKS, repeat_weeks__lte=MAX_REPEAT_WEEKS),
                name="protocol_weeks_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site}, {self.number}"

    @property
    def protocol(self) -> Protocol:
        """The rules as ``policy`` evaluates them."""
        return Protocol(
            kind=ProtocolKind(self.kind),
            negative_percent=self.negative_percent,
            arbitrates_any_difference=self.arbitrates_any_difference,
            repeat_percent=self.repeat_percent,
            repeat_weeks=self.repeat_weeks,
        )
