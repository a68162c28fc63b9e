"""Bookings, and what follows from them for call and recall."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from screening.access import AccessDenied
from screening.models import AuditEvent, Booking, ContactAttempt, Exam, Patient, Site, User
from screening.policy.bookings import CHANGES, BookingStatus
from screening.policy.recall import RecallState
from screening.selectors.due_list import DueFilters, due_list
from screening.services import bookings
from screening.services.bookings import BookingRefused, book, change_booking, close_past_bookings
from screening.services.exams import get_or_open_exam
from tests.screening.factories import BookingFactory, ExamFactory, PatientFactory


def day(n: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=n)


def state_of(patient: Patient, user: User) -> str:
    listed: Any = due_list(user=user, site=patient.site, filters=DueFilters())
    return str(listed.get(pk=patient.pk).state)


@pytest.fixture
def patient(site: Site) -> Patient:
    return PatientFactory(site=site, due_on=day(-1))


def test_a_person_with_an_appointment_is_not_invited_again(patient: Patient, photographer: User) -> None:
    assert state_of(patient, photographer) == RecallState.DUE
    booking = book(patient=patient, day=day(3), time=datetime.time(9, 30), location=" Room 2 ", by=photographer)
    assert (booking.location, booking.site, booking.status) == ("Room 2", patient.site, "booked")
    assert state_of(patient, photographer) == RecallState.BOOKED
    change_booking(booking=booking, status=BookingStatus.CANCELLED, by=photographer)
    assert state_of(patient, photographer) == RecallState.DUE
    book(patient=patient, day=day(3), by=photographer)
    assert [one.data["status"] for one in AuditEvent.objects.filter(verb="booking.changed").order_by("pk")] == [
        "booked",
        "cancelled",
        "booked",
    ]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"day": day(-1)}, "has passed"),
        ({"day": day(800)}, "two years ahead"),
        ({"day": day(5)}, "has an appointment on this day"),
        ({"day": day(1), "location": "x" * 81}, "too long"),
    ],
)
def test_an_impossible_appointment_is_refused(
    patient: Patient, photographer: User, values: dict[str, Any], text: str
) -> None:
    book(patient=patient, day=day(5), by=photographer)
    with pytest.raises(BookingRefused, match=text):
        book(patient=patient, **values, by=photographer)
    assert Booking.objects.count() == 1


def test_a_reader_books_and_changes_nothing(patient: Patient, reviewer: User) -> None:
    with pytest.raises(AccessDenied):
        book(patient=patient, day=day(1), by=reviewer)
    with pytest.raises(AccessDenied):
        change_booking(booking=BookingFactory(patient=patient), status=BookingStatus.CANCELLED, by=reviewer)


def test_a_day_that_passed_without_an_exam_is_a_missed_appointment_once(patient: Patient, photographer: User) -> None:
    booking = BookingFactory(patient=patient, day=day(-1))
    today = BookingFactory(patient=PatientFactory(site=patient.site))
    assert close_past_bookings() == 1
    assert close_past_bookings() == 0
    assert bookings._close(booking) == 0  # of two tasks at the same moment, the second
    booking.refresh_from_db()
    today.refresh_from_db()
    assert (booking.status, today.status) == ("did_not_attend", "booked")
    contact = ContactAttempt.objects.get()
    assert (contact.kind, contact.on, contact.recorded_by) == ("no_show", day(-1), None)
    patient.refresh_from_db()
    assert (patient.next_step, patient.next_step_on) == ("second_try", day(27))
    assert state_of(patient, photographer) == RecallState.DUE
    event = AuditEvent.objects.get(verb="booking.changed")
    assert (event.actor, event.object_id) == (None, str(booking.pk))


def test_a_person_with_an_exam_of_the_day_has_attended(patient: Patient) -> None:
    booking = BookingFactory(patient=patient, day=day(-1))
    exam = ExamFactory(patient=patient)
    Exam.objects.update(created_at=timezone.now() - datetime.timedelta(days=1))
    assert close_past_bookings() == 0
    booking.refresh_from_db()
    assert (booking.status, booking.exam) == ("attended", exam)
    assert not ContactAttempt.objects.exists()


@pytest.mark.parametrize(("status", "after"), [("booked", "attended"), ("did_not_attend", "attended"),
                                              ("cancelled", "cancelled")])  # fmt: skip
def test_an_exam_that_is_opened_on_the_day_marks_attendance(
    patient: Patient, photographer: User, status: str, after: str
) -> None:
    booking = BookingFactory(patient=patient, status=status)
    later = BookingFactory(patient=patient, day=day(4))
    exam, _is_new = get_or_open_exam(patient=patient, by=photographer)
    booking.refresh_from_db()
    later.refresh_from_db()
    assert (booking.status, booking.exam) == (after, exam if after == "attended" else None)
    assert later.status == "booked"


@pytest.mark.parametrize("status", list(BookingStatus))
@pytest.mark.parametrize("to", list(BookingStatus))
def test_only_the_listed_changes_are_possible(
    patient: Patient, photographer: User, status: BookingStatus, to: BookingStatus
) -> None:
    booking = BookingFactory(patient=patient, status=status.value)
    if to in CHANGES[status]:
        assert change_booking(booking=booking, status=to, by=photographer).status == to
    else:
        with pytest.raises(BookingRefused, match="changed meanwhile"):
            change_booking(booking=booking, status=to, by=photographer)


def test_attendance_is_not_recorded_in_advance(patient: Patient, photographer: User) -> None:
    booking = BookingFactory(patient=patient, day=day(1))
    with pytest.raises(BookingRefused, match="future"):
        change_booking(booking=booking, status=BookingStatus.ATTENDED, by=photographer)
