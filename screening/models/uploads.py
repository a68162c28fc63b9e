"""Uploads: files that are sent in parts and wait until a person confirms the eye."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ml.vocabulary import Laterality
from screening.labels.choices import values
from screening.labels.eyes import LATERALITY_CHOICES
from screening.models.base import BaseModel
from screening.models.exams import Exam
from screening.models.images import FundusImage


class PhotoUpload(BaseModel):
    """A file that an account sends to an exam in parts, by the protocol tus 1.0. No other account sees it.

    ``n_received`` of ``n_bytes`` are stored, in the files of ``segments``, in this order. ``laterality`` and
    ``field`` are suggestions: a person confirms them when the photograph is added to the exam. The name of the file
    is not stored.
    """

    exam = models.ForeignKey(Exam, models.PROTECT, related_name="uploads")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    n_bytes = models.PositiveIntegerField(_("size (bytes)"))
    n_received = models.PositiveIntegerField(_("received (bytes)"), default=0)
    segments = models.JSONField(_("files of its parts"), default=list)
    laterality = models.CharField(_("eye"), max_length=2, choices=LATERALITY_CHOICES, blank=True, default="")
    field = models.CharField(_("field"), max_length=10, choices=FundusImage.Field.choices, blank=True, default="")
    expires_at = models.DateTimeField(_("expires at"), db_index=True)

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(n_bytes__gte=1, n_received__lte=models.F("n_bytes")), name="upload_received_in_size"
            ),
            models.CheckConstraint(
                condition=models.Q(laterality__in=["", *values(Laterality)]), name="upload_laterality_known"
            ),
            models.CheckConstraint(
                condition=models.Q(field__in=["", "macula", "disc", "other"]), name="upload_field_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Upload {self.id}"

    @property
    def is_complete(self) -> bool:
        return self.n_received == self.n_bytes
