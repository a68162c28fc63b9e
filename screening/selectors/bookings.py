"""Bookings: those of a day, and those of a person."""

import datetime
import uuid
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from screening.access import restrict
from screening.models import Booking, Exam, Patient, Site, User
from screening.policy.bookings import BookingStatus
from screening.selectors.patients import is_found_by


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFilters:
    """Filters of the list of a site. Nothing in it identifies a patient: it can be part of an address."""

    day: datetime.date | None = None
    status: BookingStatus | None = None


def list_bookings(*, user: User, site: Site, filters: BookingFilters, text: str = "") -> QuerySet[Booking]:
    """Bookings of a site by day and time, with the person and whether an exam is open."""
    rows = restrict(Booking.objects.filter(site=site), user)
    if filters.day is not None:
        rows = rows.filter(day=filters.day)
    if filters.status is not None:
        rows = rows.filter(status=filters.status.value)
    if text.strip():
        rows = rows.filter(is_found_by(text, patient="patient"))
    return rows.select_related("patient", "site").order_by("day", F("time").asc(nulls_last=True), "pk")


def bookings_of_patient(*, user: User, patient: Patient) -> QuerySet[Booking]:
    """Bookings of a person, the latest first."""
    return restrict(Booking.objects.filter(patient=patient), user).order_by("-day", "-time", "pk")


def next_booking(*, user: User, patient: Patient, today: datetime.date) -> Booking | None:
    """The next appointment of a person that is not cancelled."""
    rows = bookings_of_patient(user=user, patient=patient)
    return rows.filter(status=BookingStatus.BOOKED.value, day__gte=today).order_by("day", "time", "pk").first()


def count_unclosed_bookings(*, days: int) -> int:
    """Bookings at active sites that are still booked more than ``days`` days after their day.

    A periodic task closes them the day after. One query for each site.
    """
    n_unclosed = 0
    for site in Site.objects.filter(is_active=True, practice_of=None):
        before = timezone.localdate(timezone=site.zone) - datetime.timedelta(days=days)
        n_unclosed += Booking.objects.filter(site=site, status=BookingStatus.BOOKED.value, day__lt=before).count()
    return n_unclosed


def get_booking(*, user: User, booking_id: uuid.UUID) -> Booking:
    """A booking of the user's sites. Raises Http404."""
    return get_object_or_404(restrict(Booking.objects.select_related("patient", "site"), user), pk=booking_id)


def is_booked(site: Site, today: datetime.date) -> Q:
    """Condition of patients of a site: they have an appointment there today or later."""
    booked = Booking.objects.filter(site=site, status=BookingStatus.BOOKED.value, day__gte=today).order_by()
    return Q(pk__in=booked.values("patient"))


def exam_of_day(booking: Booking) -> Exam | None:
    """The first exam of the person that was opened on the day of a booking and not cancelled.

    Also if the record was merged into another one.
    """
    start = datetime.datetime.combine(booking.day, datetime.time.min, tzinfo=booking.site.zone)
    people = {booking.patient_id, booking.patient.merged_into_id}
    exams = Exam.objects.filter(patient__in=people - {None}, created_at__gte=start)
    end = start + datetime.timedelta(days=1)
    return exams.filter(created_at__lt=end).exclude(status=Exam.Status.CANCELLED).order_by("created_at").first()
