"""Rows of bookings."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from screening.models import AuditEvent, Booking, ContactAttempt, DataImport, Patient, Site, StagedBooking, User
from screening.policy.imports import ImportKind
from screening.services.bookings import book
from screening.services.imports.jobs import apply_import
from tests.screening.factories import BookingFactory, PatientFactory
from tests.screening.services.imports.conftest import Begin, work
from tests.screening.spreadsheets.workbooks import workbook

HEAD = "mrn,day,time,location,status\n"


def day(n: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=n)


@pytest.fixture
def patient(site: Site) -> Patient:
    return PatientFactory(site=site, mrn="A1")


def check(begin: Begin, text: str | bytes) -> DataImport:
    return begin(text, kind=ImportKind.BOOKINGS)


def apply(data_import: DataImport, by: User) -> DataImport:
    apply_import(data_import=data_import, leaves_out=True, by=by)
    return work(data_import)


def test_bookings_are_added_and_changed(begin: Begin, patient: Patient, photographer: User) -> None:
    known = BookingFactory(patient=patient, day=day(2), time="09:00", location="Room 1")
    kept = BookingFactory(patient=PatientFactory(site=patient.site, mrn="A2"), day=day(3))
    data_import = check(
        begin,
        f"{HEAD}A1,{day(2)},10:30,,\nA1,{day(9)},930,Room 2,booked\nA2,{day(3)},,,\n",
    )
    states = list(StagedBooking.objects.order_by("line").values_list("state", flat=True))
    assert states == ["changed", "new", "unchanged"]
    assert Booking.objects.count() == 2
    assert apply(data_import, photographer).state == "applied"
    known.refresh_from_db()
    assert (known.time, known.location, known.status) == (datetime.time(10, 30), "Room 1", "booked")
    new = Booking.objects.exclude(pk__in=[known.pk, kept.pk]).get()
    assert (new.patient, new.day, new.time, new.location) == (patient, day(9), datetime.time(9, 30), "Room 2")
    assert AuditEvent.objects.filter(verb="booking.changed", data__has_key="import").count() == 2
    assert not StagedBooking.objects.exists()


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("A9,{3},,,", "No person with this number"),
        (",{3},,,", "No person with this number"),
        ("A1,,,,", "day The day is missing."),
        ("A1,{-3},,,", "day This day has passed."),
        ("A1,{3},noon,,", "time This is no time."),
        ("A1,{3},,,maybe", "status This is no status."),
        ("A1,{3},,,attended", "cannot be over"),
        ("A1,{0},,,booked", "cannot be changed"),
        ("A1,{5},,,", "also in line 2"),
    ],
)
def test_a_row_is_refused_with_what_to_do(begin: Begin, patient: Patient, row: str, text: str) -> None:
    BookingFactory(patient=patient, day=day(0), status="attended")
    for n in (-3, 0, 3, 5):
        row = row.replace(f"{{{n}}}", str(day(n)))
    check(begin, f"{HEAD}A1,{day(5)},,,\n{row}\n")
    first, second = StagedBooking.objects.order_by("line")
    assert (first.state, second.state) == ("new", "refused")
    assert text in " ".join(second.problem_texts[0])


def test_missed_appointments_are_contacts(begin: Begin, patient: Patient, photographer: User) -> None:
    known = BookingFactory(patient=patient, day=day(-2))
    text = f"{HEAD}A1,{day(-2)},,,did_not_attend\nA1,{day(-9)},,,DID_NOT_ATTEND\nA1,{day(-5)},,,attended\n"
    assert apply(check(begin, text), photographer).n_left_out == 0
    known.refresh_from_db()
    assert known.status == "did_not_attend"
    assert [(one.kind, one.on) for one in ContactAttempt.objects.order_by("on")] == [
        ("no_show", day(-9)),
        ("no_show", day(-2)),
    ]
    patient.refresh_from_db()
    assert patient.next_step == "second_try"
    assert apply(check(begin, text), photographer).n_unchanged == 3
    assert ContactAttempt.objects.count() == 2


def test_a_cancelled_booking_is_booked_again(begin: Begin, patient: Patient, photographer: User) -> None:
    BookingFactory(patient=patient, day=day(2), status="cancelled")
    assert check(begin, f"{HEAD}A1,{day(2)},,,\n").n_new == 1


def test_days_and_times_of_a_workbook(begin: Begin, patient: Patient) -> None:
    rows: list[list[Any]] = [["mrn", "day", "time"], ["A1", day(2), datetime.time(9, 30)], ["A1", day(3), 0.5]]
    check(begin, workbook(rows))
    found = list(StagedBooking.objects.order_by("line").values_list("day", "time"))
    assert found == [(day(2), datetime.time(9, 30)), (day(3), datetime.time(12, 0))]


def test_a_booking_made_meanwhile_has_the_file_checked_again(
    begin: Begin, patient: Patient, photographer: User
) -> None:
    data_import = check(begin, f"{HEAD}A1,{day(2)},,,\n")
    book(patient=patient, day=day(2), by=photographer)
    again = apply(data_import, photographer)
    assert (again.state, again.is_checked_again, again.n_unchanged) == ("checked", True, 1)
    assert Booking.objects.count() == 1
