"""Reports by the API: requesting, polling, downloading."""

from typing import Any

import pytest

from screening import tasks
from screening.models import AuditEvent, Site, User
from screening.reports import making
from screening.services import documents
from tests.screening.api.client import ApiClient
from tests.screening.factories import ExamFactory, PatientFactory
from tests.screening.reports.golden import add_amendment, negative


@pytest.fixture(autouse=True)
def _no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "publish", lambda _id: None)
    monkeypatch.setattr(making, "render_pdf", lambda html, **_more: f"%PDF-1.7 {html}".encode())


def test_a_report_is_requested_polled_and_downloaded(site: Site, reviewer: User) -> None:
    api, review = ApiClient(reviewer), negative(site)
    answer = api.post(f"exams/{review.exam_id}/reports", {"language": "xx"})
    assert (answer.status, "language" in str(answer.body)) == (400, True)
    assert api.post(f"exams/{review.exam_id}/reports", {"language": "fr"}).body["language"] == "fr"
    answer = api.post(f"exams/{review.exam_id}/reports", {})
    assert (answer.status, answer.body["status"], answer.body["file"]) == (201, "queued", None)
    assert answer.body["language"] == "en"
    document = answer.body["id"]
    assert api.get(f"documents/{document}/file").body["code"] == "document_not_made"
    tasks.make_document(document)
    made = api.get(f"documents/{document}").body
    assert (made["status"], made["standing"], made["file"]) == ("done", "current", f"/api/v1/documents/{document}/file")
    headers = {"Accept": "application/pdf"}
    response: Any = api.client.get(made["file"], headers=headers)
    assert response["Content-Type"] == "application/pdf"
    assert b"Byron" in b"".join(response.streaming_content)
    assert AuditEvent.objects.get(verb=AuditEvent.Verb.DOCUMENT_DOWNLOADED).object_id == document
    missing = api.client.get(made["file"].replace(document[:8], "00000000"), headers=headers)
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_a_named_review_is_reported_and_an_unsigned_exam_is_refused(site: Site, reviewer: User) -> None:
    api, review = ApiClient(reviewer), negative(site)
    newer = add_amendment(review)
    in_force = api.post(f"exams/{review.exam_id}/reports", {}).body
    assert in_force["review"] == str(newer.pk)
    old = api.post(f"exams/{review.exam_id}/reports", {"review": str(review.pk)}).body
    assert (old["review"], old["standing"]) == (str(review.pk), "superseded")
    unsigned = ExamFactory(patient=PatientFactory(site=site), is_submitted=True)
    answer = api.post(f"exams/{unsigned.pk}/reports", {})
    assert (answer.status, answer.body["code"]) == (409, "exam_conflict")
    assert api.post(f"exams/{unsigned.pk}/reports", {"review": str(review.pk)}).status == 404
