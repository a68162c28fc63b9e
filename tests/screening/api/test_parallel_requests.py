"""The same request several times at the same moment, in threads."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from screening.models import Exam, Patient, User
from screening.services.api_keys import issue_key
from tests.screening.api.client import V1
from tests.screening.factories import PatientFactory

N_REQUESTS = 6
NEW_PATIENT = {"mrn": "NEW1", "given_name": "Eve", "family_name": "New", "born_on": "1970-01-02"}


def post_together(user: User, path: str, body: dict[str, Any], **headers: str) -> Counter[int]:
    """How many responses have each status."""
    headers["Authorization"] = f"Bearer {issue_key(user=user, name='camera', by=None)[1]}"

    def post(_: int) -> int:
        try:
            return Client().post(V1 + path, json.dumps(body), "application/json", headers=headers).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(N_REQUESTS) as pool:
        return Counter(pool.map(post, range(N_REQUESTS)))


@pytest.mark.django_db(transaction=True)
def test_a_request_with_one_key_is_carried_out_once(shared_database: str, photographer: User) -> None:
    statuses = post_together(photographer, "patients", NEW_PATIENT, **{"Idempotency-Key": "one"})
    assert statuses[201] >= 1
    assert statuses.keys() <= {201, 409}
    assert Patient.objects.count() == 1
    again = post_together(photographer, "patients", NEW_PATIENT, **{"Idempotency-Key": "one"})
    assert again == {201: N_REQUESTS}


@pytest.mark.django_db(transaction=True)
def test_one_exam_is_opened(shared_database: str, photographer: User) -> None:
    patient = PatientFactory(site=photographer.memberships.get().site)
    statuses = post_together(photographer, "exams", {"patient": str(patient.pk)})
    assert statuses == {201: 1, 200: N_REQUESTS - 1}
    assert Exam.objects.count() == 1
