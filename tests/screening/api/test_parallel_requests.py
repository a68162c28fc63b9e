"""The same request several times at the same moment, in threads."""

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from screening.models import Exam, ExamLock, Patient, Site, User
from screening.services.api_keys import issue_key
from tests.screening.api.client import V1
from tests.screening.factories import ExamFactory, MembershipFactory, PatientFactory

N_REQUESTS = 6
NEW_PATIENT = {"mrn": "NEW1", "given_name": "Eve", "family_name": "New", "born_on": "1970-01-02"}


def post_as_each(users: Sequence[User], path: str, body: dict[str, Any], **headers: str) -> list[tuple[int, Any]]:
    """Status and body of the response to each user's request."""
    keys = [issue_key(user=user, name="camera", by=None)[1] for user in users]

    def post(key: str) -> tuple[int, Any]:
        sent = headers | {"Authorization": f"Bearer {key}"}
        try:
            response = Client().post(V1 + path, json.dumps(body), "application/json", headers=sent)
            return response.status_code, response.json()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(post, keys))


def post_together(user: User, path: str, body: dict[str, Any], **headers: str) -> Counter[int]:
    """How many responses have each status."""
    return Counter(status for status, _ in post_as_each([user] * N_REQUESTS, path, body, **headers))


@pytest.fixture
def readers(shared_database: str, site: Site) -> list[User]:
    return [MembershipFactory(site=site, role="reviewer").user for _ in range(N_REQUESTS)]


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


@pytest.mark.django_db(transaction=True)
def test_one_reader_takes_an_exam(readers: list[User], site: Site) -> None:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    answers = post_as_each(readers, f"exams/{exam.pk}/lock", {})
    assert Counter(status for status, _ in answers) == {200: 1, 409: N_REQUESTS - 1}
    holder = str(ExamLock.objects.get().holder_id)
    named = {(body.get("code"), body["lock"]["holder_id"]) for _, body in answers}
    assert named == {(None, holder), ("exam_locked", holder)}


@pytest.mark.django_db(transaction=True)
def test_each_reader_gets_another_next_exam(readers: list[User], site: Site) -> None:
    n_exams = N_REQUESTS - 2
    ExamFactory.create_batch(n_exams, patient__site=site, is_submitted=True)
    answers = post_as_each(readers, "exams/next", {})
    assert Counter(status for status, _ in answers) == {200: n_exams, 409: 2}
    taken = [body["id"] for status, body in answers if status == 200]
    assert len(set(taken)) == n_exams
    assert ExamLock.objects.values("holder").distinct().count() == n_exams
