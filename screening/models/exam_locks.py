"""Locks of exams: which reader has an exam, and until when."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from screening.models.base import BaseModel
from screening.models.exams import Exam


class ExamLock(BaseModel):
    """The reader who has taken a waiting exam. Each activity of the holder extends it; afterwards it ends by itself.

    A row that has ended, or whose exam does not wait for a reader any more, locks nothing: see ``is_in_force``.
    """

    exam = models.OneToOneField(Exam, models.PROTECT, related_name="lock")
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="exam_locks")
    taken_at = models.DateTimeField(_("taken at"))
    active_at = models.DateTimeField(_("last activity at"))
    expires_at = models.DateTimeField(_("ends at"))

    class Meta:
        verbose_name = _("lock of an exam")
        verbose_name_plural = _("locks of exams")
        ordering = ["-taken_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(taken_at__lte=models.F("active_at"), active_at__lte=models.F("expires_at")),
                name="exam_lock_times_in_order",
            )
        ]

    def __str__(self) -> str:
        return f"Lock {self.id}"

    def is_in_force(self, now: datetime | None = None) -> bool:
        """Whether the exam is locked: it waits for a reader, and the lock has not ended."""
        return self.exam.is_waiting and self.expires_at > (now or timezone.now())
