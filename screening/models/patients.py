"""Patients."""

import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from screening.models.base import BaseModel
from screening.models.sites import Site


class Patient(BaseModel):
    """A person registered at a site, identified there by the medical record number (MRN)."""

    class Sex(models.TextChoices):
        FEMALE = "F", _("Female")
        MALE = "M", _("Male")
        OTHER = "X", _("Other")
        UNKNOWN = "U", _("Unknown")

    class DiabetesType(models.TextChoices):
        TYPE_1 = "1", _("Type 1")
        TYPE_2 = "2", _("Type 2")
        OTHER = "other", _("Other type")
        UNKNOWN = "unknown", _("Unknown type")

    site = models.ForeignKey(Site, models.PROTECT, related_name="patients")
    mrn = models.CharField(_("medical record number"), max_length=40)
    given_name = models.CharField(_("given name"), max_length=80)
    family_name = models.CharField(_("family name"), max_length=80)
    born_on = models.DateField(_("birth date"))
    sex = models.CharField(_("sex"), max_length=1, choices=Sex.choices, default=Sex.UNKNOWN)
    diabetes_type = models.CharField(
        _("diabetes type"), max_length=10, choices=DiabetesType.choices, default=DiabetesType.UNKNOWN
    )
    diabetes_since_year = models.PositiveSmallIntegerField(_("diabetes since (year)"), null=True, blank=True)

    class Meta:
        verbose_name = _("patient")
        verbose_name_plural = _("patients")
        ordering = ["family_name", "given_name", "id"]
        indexes = [models.Index(fields=["site", "family_name", "given_name"], name="patient_by_name")]
        constraints = [
            models.UniqueConstraint(fields=["site", "mrn"], name="patient_mrn_once_a_site"),
            models.CheckConstraint(condition=~models.Q(mrn=""), name="patient_has_mrn"),
            models.CheckConstraint(condition=models.Q(sex__in=["F", "M", "X", "U"]), name="patient_sex_known"),
            models.CheckConstraint(
                condition=models.Q(diabetes_type__in=["1", "2", "other", "unknown"]), name="patient_diabetes_known"
            ),
        ]

    def __str__(self) -> str:
        """NB: without the name: this text appears in logs and in the history of the admin panel."""
        return f"Patient {self.id}"

    @property
    def full_name(self) -> str:
        return f"{self.family_name}, {self.given_name}"

    def age_on(self, day: datetime.date) -> int:
        """Age in whole years on ``day``."""
        had_birthday = (day.month, day.day) >= (self.born_on.month, self.born_on.day)
        return day.year - self.born_on.year - (0 if had_birthday else 1)
