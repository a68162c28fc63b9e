"""What is asked at a visit beside the photographs."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from screening.labels.visit_facts import UNIT_CHOICES
from screening.models.base import BaseModel
from screening.models.exams import Exam

EYE_TREATMENTS = (("laser", _("Laser")), ("injections", _("Injections into the eye")), ("surgery", _("Surgery")))
_KNOWN = models.Q(hba1c__isnull=True, hba1c_unit="", hba1c_mmol_mol__isnull=True, hba1c_on__isnull=True)


class VisitFacts(BaseModel):
    """Facts of one exam. Type and begin of diabetes are those of the patient.

    ``hba1c`` is the value as entered in ``hba1c_unit``; ``hba1c_mmol_mol`` is converted. ``..._eye_treatments`` lists
    codes of EYE_TREATMENTS; null if it was not recorded, empty if there was none.
    """

    class Treatment(models.TextChoices):
        """Of diabetes."""

        DIET = "diet", _("No medicine")
        NO_INSULIN = "no_insulin", _("Tablets or injections, no insulin")
        INSULIN = "insulin", _("Insulin, alone or with others")

    class Consent(models.TextChoices):
        """To the screening."""

        GIVEN = "given", _("Given")
        REFUSED = "refused", _("Refused")

    exam = models.OneToOneField(Exam, models.PROTECT, related_name="visit_facts")
    hba1c = models.DecimalField(_("HbA1c"), max_digits=4, decimal_places=1, null=True, blank=True)
    hba1c_unit = models.CharField(_("unit of HbA1c"), max_length=8, choices=UNIT_CHOICES, blank=True, default="")
    hba1c_mmol_mol = models.DecimalField(_("HbA1c (mmol/mol)"), max_digits=4, decimal_places=1, null=True, blank=True)
    hba1c_on = models.DateField(_("HbA1c measured on"), null=True, blank=True)
    treatment = models.CharField(
        _("treatment of diabetes"), max_length=10, choices=Treatment.choices, blank=True, default=""
    )
    is_pregnant = models.BooleanField(_("pregnant"), null=True, blank=True)
    right_eye_treatments = models.JSONField(_("right eye: previous treatments"), null=True, blank=True)
    left_eye_treatments = models.JSONField(_("left eye: previous treatments"), null=True, blank=True)
    consent = models.CharField(_("consent"), max_length=8, choices=Consent.choices, blank=True, default="")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(_("recorded at"), auto_now=True)

    class Meta:
        verbose_name = _("facts of a visit")
        verbose_name_plural = _("facts of visits")
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=_KNOWN
                | models.Q(hba1c__isnull=False, hba1c_unit__in=["percent", "mmol_mol"], hba1c_mmol_mol__range=(9, 196)),
                name="facts_hba1c_has_unit",
            ),
            models.CheckConstraint(
                condition=models.Q(treatment__in=["", "diet", "no_insulin", "insulin"]), name="facts_treatment_known"
            ),
            models.CheckConstraint(
                condition=models.Q(consent__in=["", "given", "refused"]), name="facts_consent_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Facts {self.id}"
