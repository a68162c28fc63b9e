"""Visual acuity at a visit."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ml.vocabulary import Laterality
from screening.labels.acuities import CORRECTION_CHOICES
from screening.labels.choices import values
from screening.labels.eyes import LATERALITY_CHOICES
from screening.labels.numbers import decimal_text
from screening.models.base import BaseModel
from screening.models.exams import Exam
from screening.policy.acuity import Correction


class VisualAcuity(BaseModel):
    """The visual acuity of one eye, as it was written and as logMAR. The newest row of an exam and eye counts."""

    exam = models.ForeignKey(Exam, models.PROTECT, related_name="acuities")
    laterality = models.CharField(_("eye"), max_length=2, choices=LATERALITY_CHOICES)
    entered = models.CharField(_("visual acuity as entered"), max_length=20)
    logmar = models.DecimalField(_("logMAR"), max_digits=3, decimal_places=2)
    correction = models.CharField(_("correction"), max_length=10, choices=CORRECTION_CHOICES, blank=True, default="")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("visual acuity")
        verbose_name_plural = _("visual acuities")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["exam", "laterality", "-created_at"], name="acuity_newest")]
        constraints = [
            models.CheckConstraint(condition=Q(laterality__in=values(Laterality)), name="acuity_laterality_known"),
            models.CheckConstraint(condition=Q(logmar__gte=-0.3, logmar__lte=3), name="acuity_in_range"),
            models.CheckConstraint(
                condition=Q(correction__in=["", *values(Correction)]), name="acuity_correction_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Visual acuity {self.id}"

    @property
    def text(self) -> str:
        """As entered and as logMAR in the format of the language, with the correction."""
        return f"{self.entered} ({decimal_text(float(self.logmar), 2)} logMAR) {self.get_correction_display()}".strip()
