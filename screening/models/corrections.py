"""Corrections of the record, with their reasons. Rows are added and never changed."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.models.base import BaseModel
from screening.models.exams import Exam
from screening.models.images import FundusImage
from screening.models.patients import Patient
from screening.models.reviews import Review
from screening.models.sites import Site


class Correction(BaseModel):
    """One correction and its reason, shown in the history of each exam and patient that it names. Append-only.

    ``exam`` is the exam that was corrected; ``to_exam`` the one that received a moved photograph. ``review`` is the
    signed review that does not count any more. ``from_patient`` and ``to_patient`` are equal to the patients of before
    and after, if the correction changed them.
    """

    class Kind(models.TextChoices):
        EXAM_RETURNED = "exam_returned", _("Exam returned to the photographer")
        EXAM_CANCELLED = "exam_cancelled", _("Exam cancelled")
        EXAM_MOVED = "exam_moved", _("Exam moved to another patient")
        IMAGE_MOVED = "image_moved", _("Photograph moved to another patient")
        IMAGE_WITHDRAWN = "image_withdrawn", _("Photograph withdrawn from a signed exam")
        REVIEW_IN_ERROR = "review_in_error", _("Result entered in error")
        PATIENTS_MERGED = "patients_merged", _("Patients merged")
        PATIENTS_UNMERGED = "patients_unmerged", _("Merged patients parted")

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    exam = models.ForeignKey(Exam, models.PROTECT, related_name="corrections", null=True, blank=True)
    to_exam = models.ForeignKey(Exam, models.PROTECT, related_name="corrections_to", null=True, blank=True)
    image = models.ForeignKey(FundusImage, models.PROTECT, related_name="corrections", null=True, blank=True)
    review = models.ForeignKey(Review, models.PROTECT, related_name="corrections", null=True, blank=True)
    from_patient = models.ForeignKey(Patient, models.PROTECT, related_name="corrections_from", null=True, blank=True)
    to_patient = models.ForeignKey(Patient, models.PROTECT, related_name="corrections_to", null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=300)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["-created_at", "id"], name="correction_newest")]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="correction_has_reason"),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "exam_returned",
                        "exam_cancelled",
                        "exam_moved",
                        "image_moved",
                        "image_withdrawn",
                        "review_in_error",
                        "patients_merged",
                        "patients_unmerged",
                    ]
                ),
                name="correction_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return f"Correction {self.id}"

    @property
    def reason_text(self) -> str:
        """The reason in words; of a photograph withdrawn without words, the label of its code."""
        if self.kind == self.Kind.IMAGE_WITHDRAWN and self.image is not None:
            return self.image.withdrawn_reason or self.image.get_withdrawn_code_display()
        return self.reason
