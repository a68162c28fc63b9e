"""Outcome tables of sites. Rows are added and never changed, by a trigger: signed reviews name them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.labels.choices import values
from screening.labels.scales import SCALE_CHOICES
from screening.models.base import BaseModel
from screening.models.sites import Site
from screening.policy import GradingScale, Outcome, OutcomeRule, OutcomeTable, Urgency

RULE_FIELDS = ("grade", "macula", "acuity", "treatment", "outcome", "urgency", "months")


class SiteOutcomeTable(BaseModel):
    """One version of the rules of a site for one scale, in force from ``valid_from`` on until a later one is.

    ``rules`` lists the RULE_FIELDS of each ``policy.OutcomeRule``. Of versions that are valid from the same day, the
    one with the highest number counts.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="outcome_tables", verbose_name=_("site"))
    scale = models.CharField(_("grading scale"), max_length=8, choices=SCALE_CHOICES)
    number = models.PositiveIntegerField(_("version"))
    valid_from = models.DateField(_("valid from"))
    rules = models.JSONField(_("rules"))
    negative_months = models.PositiveSmallIntegerField(
        _("months after two negative screens in a row"), null=True, blank=True
    )
    pregnancy_months = models.PositiveSmallIntegerField(_("months at most in pregnancy"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=300)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("created by")
    )

    class Meta:
        verbose_name = _("outcome table of a site")
        verbose_name_plural = _("outcome tables of sites")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["site", "scale", "-valid_from", "-number"], name="outcome_table_in_force")]
        constraints = [
            models.UniqueConstraint(fields=["site", "scale", "number"], name="outcome_table_version_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="outcome_table_version_from_1"),
            models.CheckConstraint(condition=Q(scale__in=values(GradingScale)), name="outcome_table_scale_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="outcome_table_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.site}, {self.scale}, {self.number}"

    @property
    def table(self) -> OutcomeTable:
        """The rules as ``policy`` evaluates them."""
        return OutcomeTable(
            scale=GradingScale(self.scale),
            rules=tuple(
                OutcomeRule(**{**rule, "outcome": Outcome(rule["outcome"]), "urgency": Urgency(rule["urgency"])})
                for rule in self.rules
            ),
            negative_months=self.negative_months,
            pregnancy_months=self.pregnancy_months,
        )


def stored_rules(table: OutcomeTable) -> list[dict[str, str | int]]:
    """The rules of a table as the column holds them."""
    return [
        {name: str(value) if name != "months" else value for name, value in _fields(rule).items()}
        for rule in table.rules
    ]


def _fields(rule: OutcomeRule) -> dict[str, str | int]:
    return {name: getattr(rule, name) for name in RULE_FIELDS}
