"""Referrals by the API."""

from typing import Any

import pytest
from django.utils import timezone

from screening.models import AuditEvent, Referral, Site, User
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.api.storing_requests import result_of_hospital
from tests.screening.factories import ReferralFactory


@pytest.fixture
def client(photographer: User) -> ApiClient:
    return ApiClient(photographer)


@pytest.fixture
def referral(site: Site) -> Referral:
    return ReferralFactory(exam__patient__site=site)


def body_of_step(**changes: Any) -> dict[str, Any]:
    return {"from_state": "made", "to": "sent", "happened_on": timezone.localdate().isoformat(), **changes}


def test_the_list_has_open_referrals_and_its_filters(client: ApiClient, referral: Referral, site: Site) -> None:
    late = ReferralFactory(exam__patient__site=site, state="sent", due_on="2026-01-02", urgency="immediate")
    closed = ReferralFactory(exam__patient__site=site, state="declined", due_on=None)
    cases: list[tuple[dict[str, Any], set[Referral]]] = [
        ({}, {referral, late}),
        ({"state": "declined"}, {closed}),
        ({"is_late": "true"}, {late}),
        ({"urgency": "immediate"}, {late}),
        ({"site": site.code}, {referral, late}),
    ]
    for query, expected in cases:
        found = client.get("referrals", **query).body["results"]
        assert {one["id"] for one in found} == {str(one.pk) for one in expected}, query
    one = client.get("referrals", state="made").body["results"][0]
    assert (one["patient"], one["next_states"]) == (str(referral.exam.patient_id), ["sent", "declined"])
    assert_is_error(client.get("referrals", state="lost"), 400, "invalid")
    assert client.get("referrals", site="hill").body["results"] == []


def test_steps_and_result_are_recorded_with_their_history(client: ApiClient, referral: Referral) -> None:
    assert client.post(f"referrals/{referral.pk}/steps", body_of_step(note="By mail")).body["state"] == "sent"
    response = client.post(f"referrals/{referral.pk}/results", result_of_hospital(right_grade=4, right_oedema="centre"))
    assert (response.status, response.body["state"], response.body["next_states"]) == (200, "result_back", [])
    found = client.get(f"referrals/{referral.pk}").body
    history = [(one["from_state"], one["state"], one["note"]) for one in found["events"]]
    assert history == [("made", "sent", "By mail"), ("sent", "result_back", "")]
    result = found["feedback"][0]
    assert (result["right_grade"], result["left_grade"], result["right_oedema"]) == (4, None, "centre")
    assert AuditEvent.objects.filter(verb="referral.viewed", object_id=str(referral.pk)).count() == 1


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"from_state": "sent"}, 409, "referral_changed"),
        ({"to": "attended"}, 409, "referral_refused"),
        ({"to": "declined"}, 409, "referral_refused"),
        ({"happened_on": "2999-01-01"}, 409, "referral_refused"),
        ({"happened_on": "soon"}, 400, "invalid"),
        ({"to": "lost"}, 400, "invalid"),
        ({"surplus": "x"}, 400, "invalid"),
    ],
)
def test_a_wrong_step_is_refused(
    client: ApiClient, referral: Referral, changes: dict[str, Any], status: int, code: str
) -> None:
    assert_is_error(client.post(f"referrals/{referral.pk}/steps", body_of_step(**changes)), status, code)
    assert not referral.events.exists()
