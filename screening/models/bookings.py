"""Bookings: appointments of people for screening."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from screening.labels.bookings import STATUS_CHOICES
from screening.labels.choices import values
from screening.models.base import BaseModel
from screening.models.exams import Exam
from screening.models.patients import Patient
from screening.models.sites import Site
from screening.policy.bookings import BookingStatus


class Booking(BaseModel):
    """An appointment of a person at the site where the person is registered. ``recorded_by`` is null for tasks.

    A person has at most one on a day that is not cancelled. ``exam`` is the one that was opened on the day.
    ``moved_from`` is the merged record that had the booking before.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="bookings")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="bookings")
    day = models.DateField(_("day"))
    time = models.TimeField(_("time"), null=True, blank=True)
    location = models.CharField(_("place"), max_length=80, blank=True, default="")
    status = models.CharField(_("status"), max_length=16, choices=STATUS_CHOICES, default=BookingStatus.BOOKED.value)
    exam = models.ForeignKey(Exam, models.PROTECT, related_name="bookings", null=True, blank=True)
    moved_from = models.ForeignKey(
        Patient, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("moved from")
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("recorded by")
    )

    class Meta:
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        ordering = ["day", "time", "id"]
        indexes = [
            models.Index(fields=["site", "day", "time", "id"], name="bookings_of_day"),
            models.Index(fields=["status", "day"], name="booking_open", condition=Q(status="booked")),
            # The people who have an appointment, for the due list.
            models.Index(
                fields=["site", "day"], include=["patient"], name="booking_to_come", condition=Q(status="booked")
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "day"], condition=~Q(status="cancelled"), name="booking_one_a_day"
            ),
            models.CheckConstraint(condition=Q(status__in=values(BookingStatus)), name="booking_status_known"),
        ]

    def __str__(self) -> str:
        return f"Booking {self.id}"
