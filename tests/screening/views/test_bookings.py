"""Pages of bookings."""

import datetime

from django.test import Client
from django.utils import timezone

from screening.models import Booking, Exam, Site
from tests.screening.factories import BookingFactory, PatientFactory
from tests.screening.views.pages import count_queries, page_text, text_of, url


def test_the_list_has_who_comes_today_in_the_order_of_time(site: Site, as_photographer: Client) -> None:
    for name, time in (("Second", "10:00"), ("First", "09:00"), ("Untimed", None)):
        BookingFactory(patient=PatientFactory(site=site, family_name=name), time=time)
    tomorrow = timezone.localdate() + datetime.timedelta(days=1)
    BookingFactory(patient=PatientFactory(site=site, family_name="Tomorrow"), day=tomorrow)
    text = page_text(as_photographer, "site-bookings", site.pk)
    assert text.index("First") < text.index("Second") < text.index("Untimed")
    assert "Tomorrow" not in text
    assert "Tomorrow" in page_text(as_photographer, "site-bookings", site.pk, day=str(tomorrow))
    assert "Tomorrow" in page_text(as_photographer, "site-bookings", site.pk, day="all")
    response = as_photographer.post(url("site-bookings", site.pk), {"day": "", "status": "all", "text": "tomor"})
    assert "Tomorrow" in text_of(response)
    assert "First" not in text_of(response)


def test_one_click_opens_the_exam(site: Site, as_photographer: Client) -> None:
    booking = BookingFactory(patient=PatientFactory(site=site))
    text = page_text(as_photographer, "site-bookings", site.pk)
    address = url("patient-exams", booking.patient_id)
    assert f'action="{address}"' in text
    as_photographer.post(address)
    booking.refresh_from_db()
    assert (booking.status, booking.exam) == ("attended", Exam.objects.get())
    assert url("exam-detail", booking.exam_id) in page_text(as_photographer, "site-bookings", site.pk)


def test_an_appointment_is_booked_and_cancelled_on_the_page_of_a_patient(site: Site, as_photographer: Client) -> None:
    patient = PatientFactory(site=site)
    address = url("patient-bookings", patient.pk)
    day = timezone.localdate() + datetime.timedelta(days=2)
    response = as_photographer.post(address, {"day": str(day), "time": "09:30", "location": "Room 2"}, follow=True)
    assert "The appointment is booked." in text_of(response)
    response = as_photographer.post(address, {"day": str(day)})
    assert response.status_code == 422
    assert "has an appointment on this day" in text_of(response)
    booking = Booking.objects.get()
    as_photographer.post(url("booking-status", booking.pk), {"status": "cancelled", "back": "patient"})
    assert "Cancelled" in page_text(as_photographer, "patient-bookings", patient.pk)


def test_the_list_has_pages_and_as_many_queries_for_any_number(site: Site, as_photographer: Client) -> None:
    BookingFactory(patient=PatientFactory(site=site))
    n_queries = count_queries(as_photographer, "site-bookings", site.pk)
    for _n in range(55):
        BookingFactory(patient=PatientFactory(site=site))
    assert count_queries(as_photographer, "site-bookings", site.pk) == n_queries
    assert n_queries <= 16
    assert "Page 1 of 2" in page_text(as_photographer, "site-bookings", site.pk)


def test_a_wrong_day_in_the_address_is_refused(site: Site, as_photographer: Client) -> None:
    assert as_photographer.get(url("site-bookings", site.pk), {"day": "tomorrow"}).status_code == 400
