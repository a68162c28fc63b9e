"""Letters to the people of a list by the API: filters, ids, progress, files, refusals."""

import datetime
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from screening import tasks
from screening.models import BatchLetter, LetterBatch, Patient, Site, User
from screening.services import letter_batches
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.factories import PatientFactory, ReferralFactory
from tests.screening.reports.golden import GOLDEN, letterhead


@pytest.fixture(autouse=True)
def _unsent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_batches, "publish", lambda _id: None)


@pytest.fixture
def api(manager: User) -> ApiClient:
    return ApiClient(manager)


def overdue(site: Site) -> Patient:
    day = timezone.localdate() - datetime.timedelta(days=60)
    return PatientFactory(site=site, postal_address="7 Mill Lane", due_on=day, next_step_on=day)


def test_letters_of_the_due_list_are_made_and_fetched(site: Site, api: ApiClient) -> None:
    chosen, path = overdue(site), f"sites/{site.pk}/letter-batches"
    overdue(site)
    sent = {"kind": "due_letter", "variant": "plain_text", "patients": [str(chosen.pk)]}
    batch = api.post(path, sent)
    assert (batch.status, batch.body["state"], batch.body["n_letters"]) == (201, "queued", 1)
    assert BatchLetter.objects.get().patient == chosen
    assert_is_error(api.post(path, sent), 409, "letters_refused")
    record = f"letter-batches/{batch.body['id']}"
    assert_is_error(api.get(f"{record}/file", type="zip"), 409, "letters_refused")
    tasks.make_letters(batch.body["id"])
    done = api.get(record).body
    assert (done["state"], done["n_made"], done["left_out"], done["pdf"]) == ("done", 1, {}, None)
    response: Any = api.client.get(done["zip"], headers={"Accept": "application/zip"})
    assert response["Content-Type"] == "application/zip"
    assert b"".join(response.streaming_content).startswith(b"PK")
    assert_is_error(api.post(f"{record}/cancel", None), 409, "letters_refused")
    assert_is_error(api.post(f"{record}/files", None), 409, "letters_refused")
    assert api.post(path, {"kind": "due_letter", "step": "invite", "never_screened": True}).body["n_letters"] == 1
    assert (
        api.post(f"letter-batches/{api.get(path).body['results'][0]['id']}/cancel", None).body["state"] == "cancelled"
    )


def test_letters_about_results_and_referrals_are_chosen_by_filters_and_exams(site: Site, api: ApiClient) -> None:
    review, path = GOLDEN["chinese"](site), f"sites/{site.pk}/letter-batches"
    ReferralFactory(exam=review.exam, review=review, site=site, urgency=review.urgency)
    assert_is_error(api.post(path, {"kind": "referral_letter"}), 409, "exam_conflict")  # no address of the hospital
    letterhead(site, hospital_address="Eye Hospital")
    exam = str(review.exam_id)
    batch = api.post(path, {"kind": "referral_letter", "urgency": review.urgency, "exams": [exam]})
    assert (batch.status, batch.body["n_letters"]) == (201, 1)
    Patient.objects.filter(pk=review.exam.patient_id).update(postal_address="7 Mill Lane")
    assert api.post(f"letter-batches/{batch.body['id']}/cancel", None).status == 200
    assert api.post(path, {"kind": "result_letter", "outcome": review.outcome, "exams": [exam]}).status == 201


def test_a_wrong_request_names_what_is_wrong_and_makes_nothing(site: Site, api: ApiClient) -> None:
    stranger, path = overdue(PatientFactory().site), f"sites/{site.pk}/letter-batches"
    for sent, field in (
        ({}, "kind"),
        ({"kind": "clinical_report"}, "kind"),
        ({"kind": "due_letter", "outcome": "refer"}, "outcome"),
        ({"kind": "due_letter", "patients": []}, "patients"),
        ({"kind": "due_letter", "patients": [str(uuid.uuid4())] * 501}, "patients"),
        ({"kind": "due_letter", "patients": [str(stranger.pk)]}, "patients"),
        ({"kind": "result_letter", "exams": [str(uuid.uuid4())]}, "exams"),
    ):
        answer = api.post(path, sent)
        assert_is_error(answer, 400, "invalid")
        assert set(answer.body["fields"]) == {field}
    assert_is_error(api.post(path, {"kind": "due_letter"}), 409, "letters_refused")  # no person is due
    assert not LetterBatch.objects.exists()


def test_the_list_has_a_constant_number_of_queries(site: Site, manager: User, api: ApiClient) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert api.get(f"sites/{site.pk}/letter-batches").status == 200
        return len(queries)

    batch = {"site": site, "variant": "standard", "n_letters": 1, "created_by": manager, "state": "done"}
    LetterBatch.objects.create(**batch)
    count()  # the first request of a session stores the time
    before = count()
    for _ in range(4):
        LetterBatch.objects.create(**batch)
    assert count() == before
