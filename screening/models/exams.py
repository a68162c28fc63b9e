"""Visits: one exam is one patient photographed on one day."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ml.vocabulary import Laterality
from screening.models.base import BaseModel
from screening.models.patients import Patient
from screening.models.sites import Site


class Exam(BaseModel):
    """One visit. ``status`` is the progress of people; the model's is ``Grading.status``, and neither moves the
    other."""

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        SUBMITTED = "submitted", _("Waiting for review")
        REVIEWED = "reviewed", _("Reviewed")
        CANCELLED = "cancelled", _("Cancelled")

    site = models.ForeignKey(Site, models.PROTECT, related_name="exams")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="exams")
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.OPEN)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True)
    right_eye_absent_reason = models.CharField(_("right eye absent: reason"), max_length=200, blank=True, default="")
    left_eye_absent_reason = models.CharField(_("left eye absent: reason"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("exam")
        verbose_name_plural = _("exams")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["site", "status", "submitted_at"], name="exam_worklist")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["open", "submitted", "reviewed", "cancelled"]), name="exam_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["open", "cancelled"]) | models.Q(submitted_at__isnull=False),
                name="exam_submitted_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"Exam {self.id}"

    @property
    def is_open(self) -> bool:
        return self.status == self.Status.OPEN

    def absent_reason(self, laterality: str) -> str:
        """Why this eye is absent; empty when it is there."""
        if Laterality(laterality) is Laterality.RIGHT:
            return self.right_eye_absent_reason
        return self.left_eye_absent_reason
