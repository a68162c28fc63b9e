"""Bookings by the API."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from screening.models import Patient, Site, User
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.factories import BookingFactory, PatientFactory


def day(n: int) -> str:
    return str(timezone.localdate() + datetime.timedelta(days=n))


@pytest.mark.parametrize("time", ["09:30Z", "09:30:00+05:45", "09", "0930", "24:00", "09:30:15.5", 930])
def test_a_time_with_a_zone_or_another_format_is_refused(time: Any, site: Site, photographer: User) -> None:
    address = f"patients/{PatientFactory(site=site).pk}/bookings"
    refused = ApiClient(photographer).post(address, {"day": day(2), "time": time})
    assert_is_error(refused, 400, "invalid")
    assert "hh:mm" in refused.body["fields"]["time"]


def test_an_appointment_is_booked_listed_and_cancelled(site: Site, photographer: User) -> None:
    client, patient = ApiClient(photographer), PatientFactory(site=site)
    BookingFactory(patient=PatientFactory(site=site), day=day(1))
    response = client.post(f"patients/{patient.pk}/bookings", {"day": day(2), "time": "09:30", "location": "Room 2"})
    assert (response.status, response.body["time"], response.body["status"]) == (201, "09:30:00", "booked")
    assert client.get(f"patients/{patient.pk}/bookings").body["results"] == [response.body]
    assert client.get(f"sites/{site.pk}/bookings", day=day(2)).body["results"] == [response.body]
    assert len(client.get(f"sites/{site.pk}/bookings").body["results"]) == 2
    refused = client.post(f"patients/{patient.pk}/bookings", {"day": day(2)})
    assert_is_error(refused, 400, "invalid")
    assert "day" in refused.body["fields"]
    address = f"bookings/{response.body['id']}/status"
    assert_is_error(client.post(address, {"status": "attended"}), 400, "invalid")
    assert client.post(address, {"status": "cancelled"}).body["status"] == "cancelled"
    assert client.get(f"sites/{site.pk}/bookings", status="booked", day=day(2)).body["results"] == []
    assert Patient.objects.count() == 2
