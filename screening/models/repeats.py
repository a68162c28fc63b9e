"""Repeats: signed exams that come back to a reader of them, weeks later and unmarked."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.labels.choices import values
from screening.labels.repeats import DROP_REASON_CHOICES, REPEAT_STATE_CHOICES
from screening.models.base import BaseModel
from screening.models.exams import Exam
from screening.models.protocols import SiteProtocol
from screening.models.readings import Reading
from screening.models.reviews import Review
from screening.policy.repeats import DropReason, RepeatState


class Repeat(BaseModel):
    """An exam that its ``reader`` reads again from ``due_on``, to be compared with the own first reading.

    It is of the result ``review``, and of the version of the ``protocol`` by which it was drawn (None: the default).
    ``reading`` is what the reader found at last. Nothing of it changes the exam or its result.
    """

    exam = models.ForeignKey(Exam, models.PROTECT, related_name="repeats")
    reading_round = models.PositiveSmallIntegerField(_("reading round"), default=0)
    review = models.ForeignKey(Review, models.PROTECT, related_name="repeats")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="repeats")
    protocol = models.ForeignKey(SiteProtocol, models.PROTECT, related_name="repeats", null=True, blank=True)
    due_on = models.DateField(_("due on"))
    state = models.CharField(_("state"), max_length=8, choices=REPEAT_STATE_CHOICES, default=RepeatState.WAITING.value)
    dropped_reason = models.CharField(
        _("why it was dropped"), max_length=16, choices=DROP_REASON_CHOICES, blank=True, default=""
    )
    taken_at = models.DateTimeField(_("taken at"), null=True, blank=True)
    reading = models.OneToOneField(Reading, models.PROTECT, related_name="repeat", null=True, blank=True)

    class Meta:
        verbose_name = _("repeat")
        verbose_name_plural = _("repeats")
        ordering = ["due_on", "id"]
        indexes = [models.Index(fields=["reader", "state", "due_on"], name="repeat_by_reader")]
        constraints = [
            models.UniqueConstraint(fields=["exam", "reading_round", "reader"], name="repeat_once"),
            models.CheckConstraint(condition=Q(state__in=values(RepeatState)), name="repeat_state_known"),
            models.CheckConstraint(
                condition=Q(state="dropped", dropped_reason__in=values(DropReason))
                | ~Q(state="dropped") & Q(dropped_reason=""),
                name="repeat_dropped_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(state="done", reading__isnull=False) | ~Q(state="done") & Q(reading__isnull=True),
                name="repeat_done_has_reading",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "dropped"]) | Q(taken_at__isnull=False), name="repeat_taken_has_time"
            ),
        ]

    def __str__(self) -> str:
        return f"Repeat {self.id}"
