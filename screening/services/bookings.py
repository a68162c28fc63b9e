"""Bookings: recording them, and what became of them."""

import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from screening.access import Action, require
from screening.labels.refusals import refusal_text
from screening.models import AuditEvent, Booking, ContactAttempt, Exam, Patient, Site, User
from screening.models.base import max_length
from screening.policy.bookings import CHANGES, BookingStatus
from screening.policy.recall import ContactChannel, ContactKind, ContactResult
from screening.selectors.bookings import exam_of_day
from screening.services.audit import record_event
from screening.services.recalls import update_recall

MAX_DAYS_AHEAD = 2 * 366
_STATUS = BookingStatus


class BookingRefused(ValueError):
    """A booking is not possible. ``field`` is what is wrong; the message is for the user.

    ``code`` is one of ``REFUSAL_TEXTS``, with the values of its text.
    """

    def __init__(self, field: str, code: str, **values: int) -> None:
        super().__init__(refusal_text(code, values))
        self.field, self.code, self.values = field, code, values


@transaction.atomic
def book(
    *, patient: Patient, day: datetime.date, time: datetime.time | None = None, location: str = "", by: User
) -> Booking:
    """Book an appointment at the site of a person. Raises BookingRefused, AccessDenied."""
    require(by, Action.MANAGE_REGISTER, patient.site)
    locked = Patient.objects.select_for_update(of=("self",)).select_related("site").get(pk=patient.pk)
    if locked.merged_into_id is not None:
        raise BookingRefused("day", "merged_record")
    location = location.strip()
    check_booking(site=locked.site, day=day, location=location)
    if Booking.objects.filter(patient=locked, day=day).exclude(status=_STATUS.CANCELLED.value).exists():
        raise BookingRefused("day", "booked_already")
    booking = Booking.objects.create(
        site=locked.site, patient=locked, day=day, time=time, location=location, recorded_by=by
    )
    _record(booking, _STATUS.BOOKED, by)
    return booking


def check_booking(*, site: Site, day: datetime.date, location: str) -> None:
    """Raises BookingRefused for a day that has passed or is years ahead, or a text that is too long."""
    today = timezone.localdate(timezone=site.zone)
    if day < today:
        raise BookingRefused("day", "past_day")
    if (day - today).days > MAX_DAYS_AHEAD:
        raise BookingRefused("day", "far_day")
    limit = max_length(Booking, "location")
    if len(location) > limit:
        raise BookingRefused("location", "too_long", limit=limit)


@transaction.atomic
def change_booking(*, booking: Booking, status: BookingStatus, by: User) -> Booking:
    """Record what became of a booking. Raises BookingRefused, AccessDenied."""
    locked = _locked(booking)
    require(by, Action.MANAGE_REGISTER, locked.site)
    if status not in CHANGES[BookingStatus(locked.status)]:
        raise BookingRefused("status", "changed_booking")
    today = timezone.localdate(timezone=locked.site.zone)
    if status is not _STATUS.CANCELLED and locked.day > today:
        raise BookingRefused("status", "future_day")
    _change(locked, status, by=by)
    return locked


def move_bookings(source: Patient, target: Patient) -> None:
    """Move the open bookings of a record that is merged into ``target``, in the caller's transaction.

    A booking on a day on which ``target`` has one stays: an exam of that day counts for both.
    """
    taken = target.bookings.exclude(status=_STATUS.CANCELLED.value).values("day")
    _locked_open(source).exclude(day__in=taken).update(patient=target, moved_from=source)


def return_bookings(source: Patient, target: Patient) -> None:
    """Undo ``move_bookings`` for the bookings that are still open, in the caller's transaction."""
    taken = source.bookings.exclude(status=_STATUS.CANCELLED.value).values("day")
    _locked_open(target).filter(moved_from=source).exclude(day__in=taken).update(patient=source, moved_from=None)


def _locked_open(patient: Patient) -> QuerySet[Booking]:
    rows = Booking.objects.select_for_update(of=("self",)).filter(patient=patient, status=_STATUS.BOOKED.value)
    return Booking.objects.filter(pk__in=list(rows.order_by("pk").values_list("pk", flat=True)))


def mark_attended(*, exam: Exam, by: User) -> None:
    """Mark the booking of the day on which an exam is opened, in the caller's transaction."""
    today = timezone.localdate(timezone=exam.site.zone)
    statuses = [_STATUS.BOOKED.value, _STATUS.DID_NOT_ATTEND.value]
    rows = Booking.objects.select_for_update(of=("self",)).select_related("site", "patient")
    is_own = Q(patient=exam.patient_id) | Q(patient__merged_into=exam.patient_id)
    for booking in rows.filter(is_own, day=today, status__in=statuses):
        _change(booking, _STATUS.ATTENDED, exam=exam, by=by)


def close_past_bookings() -> int:
    """Record who did not attend on the days that have passed at each site. Safe to repeat. Returns how many.

    A person with an exam of that day has attended.
    """
    n_missed = 0
    for site in Site.objects.filter(is_active=True, practice_of=None).order_by("pk"):
        today = timezone.localdate(timezone=site.zone)
        past = Booking.objects.filter(site=site, status=_STATUS.BOOKED.value, day__lt=today)
        for booking in past.order_by("day", "pk").only("pk"):
            n_missed += _close(booking)
    return n_missed


@transaction.atomic
def _close(booking: Booking) -> int:
    locked = _locked(booking)
    if locked.status != _STATUS.BOOKED:
        return 0
    exam = exam_of_day(locked)
    status = _STATUS.DID_NOT_ATTEND if exam is None else _STATUS.ATTENDED
    _change(locked, status, exam=exam, by=None)
    return int(exam is None)


def _locked(booking: Booking) -> Booking:
    return Booking.objects.select_for_update(of=("self",)).select_related("site", "patient").get(pk=booking.pk)


def _change(booking: Booking, status: BookingStatus, *, exam: Exam | None = None, by: User | None) -> None:
    """Store the status of a locked booking. A missed appointment is a contact, from which the next step follows."""
    booking.status = status.value
    booking.exam = exam or booking.exam
    booking.save(update_fields=["status", "exam"])
    if status is _STATUS.DID_NOT_ATTEND:
        ContactAttempt.objects.create(
            patient=booking.patient,
            kind=ContactKind.NO_SHOW.value,
            channel=ContactChannel.VISIT.value,
            result=ContactResult.NOT_REACHED.value,
            on=booking.day,
            recorded_by=by,
        )
        update_recall(booking.patient_id)
    _record(booking, status, by)


def _record(booking: Booking, status: BookingStatus, by: User | None) -> None:
    data: dict[str, Any] = {"patient": str(booking.patient_id), "status": status.value}
    verb = AuditEvent.Verb.BOOKING_CHANGED
    record_event(verb=verb, subject=booking, site=booking.site, data=data, by=by)
