"""Documents: made once for the same data, never changed, failed with a sentence, visible as the signed result is."""

import datetime
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone, translation

from screening import tasks
from screening.labels.documents import DocumentFailure, Standing
from screening.models import AuditEvent, Document, FundusImage, Patient, ReadingDraft, Review, Site, User
from screening.reports import making
from screening.reports.clinical import ReportRefused
from screening.reports.engine import EngineUnavailable, LettersMissing
from screening.reports.requests import may_have_heatmaps, request_report
from screening.selectors.documents import list_documents, standing_of, with_has_newer
from screening.services import documents
from tests.screening.eye_states import make_exam
from tests.screening.reports.golden import add_amendment, mark_in_error, negative

Verb = AuditEvent.Verb


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Ids of the documents that were published; the engine is replaced by one that needs no Pango."""
    ids: list[Any] = []
    monkeypatch.setattr(documents, "publish", ids.append)
    monkeypatch.setattr("screening.services.documents.transaction.on_commit", lambda function: function())
    monkeypatch.setattr(making, "render_pdf", lambda html, **_more: f"%PDF-1.7 {html}".encode())
    return ids


def make(review: Review, by: User, **options: Any) -> Document:
    document, _is_new = request_report(review=review, **{"has_heatmaps": False, "language": "en", **options}, by=by)
    tasks.make_document(str(document.pk))
    document.refresh_from_db()
    return document


def standing(document: Document) -> Standing:
    return standing_of(with_has_newer(Document.objects.all()).get(pk=document.pk))


def test_a_report_is_requested_once_and_made_once(site: Site, reviewer: User, sent: list[Any]) -> None:
    review = negative(site)
    document = make(review, reviewer)
    assert (document.status, document.failure_code) == ("done", "")
    content = document.file.read()
    assert document.sha256 == hashlib.sha256(content).hexdigest()
    assert document.n_bytes == len(content)
    made = AuditEvent.objects.get(verb=Verb.DOCUMENT_MADE)
    assert made.data == {"sha256": document.sha256, "n_bytes": document.n_bytes}
    again, is_new = request_report(review=review, has_heatmaps=False, language="en", by=reviewer)
    assert (again, is_new) == (document, False)
    assert sent == [document.pk]
    tasks.make_document(str(document.pk))  # delivered twice
    assert AuditEvent.objects.filter(verb=Verb.DOCUMENT_MADE).count() == 1
    assert request_report(review=review, has_heatmaps=True, language="en", by=reviewer)[1]


def test_a_report_is_in_the_language_that_was_chosen(site: Site, reviewer: User) -> None:
    review = negative(site)
    FundusImage.objects.filter(exam=review.exam, laterality="OD").update(
        withdrawn_at=timezone.now(), withdrawn_code="wrong_eye"
    )
    with translation.override("de"):  # the language of the page that requests it
        french, english = make(review, reviewer, language="fr"), make(review, reviewer)
        assert request_report(review=review, has_heatmaps=False, language="fr", by=reviewer) == (french, False)
    assert (french.status, french.language, english.language) == ("done", "fr", "en")
    assert french.data_sha256 == english.data_sha256
    assert AuditEvent.objects.get(verb=Verb.DOCUMENT_REQUESTED, object_id=french.pk).data["language"] == "fr"
    assert 'lang="fr" dir="ltr"' in " ".join(french.file.read().decode().split())
    Patient.objects.filter(pk=review.exam.patient_id).update(family_name="Lovelace")
    arabic = make(Review.objects.get(pk=review.pk), reviewer, language="ar")
    assert 'lang="ar" dir="rtl"' in " ".join(arabic.file.read().decode().split())
    assert [standing(one) for one in (french, english, arabic)] == ["superseded", "superseded", "current"]


def test_a_made_document_cannot_be_changed_or_deleted(site: Site, reviewer: User) -> None:
    document = make(negative(site), reviewer)
    rows = Document.objects.filter(pk=document.pk)
    for harm in (lambda: rows.update(sha256="0" * 64), rows.delete):
        with pytest.raises(IntegrityError), transaction.atomic():
            harm()


def test_a_changed_name_makes_another_report_and_supersedes_the_first(site: Site, reviewer: User) -> None:
    review = negative(site)
    first = make(review, reviewer)
    before = first.file.read()
    Patient.objects.filter(pk=review.exam.patient_id).update(family_name="Lovelace")
    review = Review.objects.get(pk=review.pk)
    second = make(review, reviewer)
    assert b"Lovelace" in second.file.read()
    assert (standing(first), standing(second)) == (Standing.SUPERSEDED, Standing.CURRENT)
    assert Document.objects.get(pk=first.pk).file.read() == before


def test_an_amendment_supersedes_and_an_error_is_marked(site: Site, reviewer: User) -> None:
    amended, in_error = make(negative(site), reviewer), make(negative(site), reviewer)
    add_amendment(amended.review)  # type: ignore[arg-type]  # a report has one
    mark_in_error(in_error.review)  # type: ignore[arg-type]
    assert standing(amended) == Standing.SUPERSEDED
    assert standing(in_error) == Standing.IN_ERROR
    assert b"ENTERED IN ERROR" in make(Review.objects.get(documents=in_error), reviewer).file.read()


def withdraw(review: Review, _patch: pytest.MonkeyPatch) -> None:
    image = review.exam.images.first()
    FundusImage.objects.filter(pk=image.pk).update(withdrawn_at=timezone.now(), withdrawn_code="wrong_eye")  # type: ignore[union-attr]


def delete_file(review: Review, _patch: pytest.MonkeyPatch) -> None:
    for image in review.exam.images.all():
        default_storage.delete(str(image.file.name))


def raises(name: str, error: Exception) -> Callable[[Review, pytest.MonkeyPatch], None]:
    def harm(_review: Review, patch: pytest.MonkeyPatch) -> None:
        def fail(*_args: Any, **_kwargs: Any) -> bytes:
            raise error

        patch.setattr(making, name, fail)

    return harm


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (withdraw, DocumentFailure.DATA_CHANGED),
        (delete_file, DocumentFailure.PHOTO_MISSING),
        (raises("render_pdf", LettersMissing({"x"})), DocumentFailure.LETTERS_MISSING),
        (raises("render_pdf", EngineUnavailable("Pango")), DocumentFailure.ENGINE_UNAVAILABLE),
        (raises("render_pdf", MemoryError()), DocumentFailure.UNEXPECTED),
        (raises("store_document", OSError()), DocumentFailure.STORAGE_UNAVAILABLE),
    ],
)
def test_a_failure_has_a_sentence_and_can_be_repeated(
    harm: Callable[[Review, pytest.MonkeyPatch], None],
    code: DocumentFailure,
    site: Site,
    reviewer: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    review = negative(site)
    photos = {str(image.file.name): image.file.read() for image in review.exam.images.all()}
    document, _is_new = request_report(review=review, has_heatmaps=False, language="en", by=reviewer)
    with monkeypatch.context() as patch:
        harm(review, patch)
        tasks.make_document(str(document.pk))
    document.refresh_from_db()
    assert (document.status, document.failure_code) == ("failed", code)
    assert document.failure_text.endswith((".", "administrator."))
    assert AuditEvent.objects.get(verb=Verb.DOCUMENT_FAILED).data == {"code": code}
    for name, content in photos.items():
        if not default_storage.exists(name):
            with default_storage.open(name, "wb") as file:
                file.write(content)
    assert make(Review.objects.get(pk=review.pk), reviewer).status == "done"


def test_a_result_of_another_patient_or_before_the_last_reading_has_no_report(site: Site, reviewer: User) -> None:
    review = negative(site)
    review.exam.status = "second_reading"
    review.exam.save()
    with pytest.raises(ReportRefused, match="another reading"):
        request_report(review=review, has_heatmaps=False, language="en", by=reviewer)
    mark_in_error(review)
    review.exam.corrections.model.objects.create(
        site=site, kind="exam_moved", exam=review.exam, review=review, reason="x", made_by=reviewer
    )
    with pytest.raises(ReportRefused, match="another patient"):
        request_report(review=Review.objects.get(pk=review.pk), has_heatmaps=False, language="en", by=reviewer)


def test_stale_documents_are_sent_again_and_fail_after_three_attempts(
    site: Site, reviewer: User, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "has_backlog", lambda: False)
    document, _is_new = request_report(review=negative(site), has_heatmaps=False, language="en", by=reviewer)
    for attempt in range(1, 5):
        claimed = documents.claim_document(document_id=document.pk)
        assert (claimed is None) == (attempt == 4)
        Document.objects.filter(pk=document.pk).update(started_at=timezone.now() - datetime.timedelta(hours=1))
        documents.requeue_stale_documents()
        if claimed is not None and attempt < 3:
            documents.store_document(document=claimed, pdf=b"late")  # its claim was lost
    document.refresh_from_db()
    assert (document.status, document.failure_code) == ("failed", DocumentFailure.WORKER_LOST)
    assert len(sent) == 3
    assert not default_storage.exists("documents") or not any(default_storage.listdir("documents")[1])


def test_a_worker_that_lost_its_claim_stores_nothing(
    site: Site, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "has_backlog", lambda: False)
    document, _is_new = request_report(review=negative(site), has_heatmaps=False, language="en", by=reviewer)
    first = documents.claim_document(document_id=document.pk)
    Document.objects.filter(pk=document.pk).update(started_at=timezone.now() - datetime.timedelta(hours=1))
    documents.requeue_stale_documents()
    second = documents.claim_document(document_id=document.pk)
    assert first is not None
    assert second is not None
    documents.store_document(document=first, pdf=b"late")
    document.refresh_from_db()
    assert document.status == "running"


def test_heatmaps_and_results_are_hidden_as_on_the_pages(site: Site, reviewer: User, photographer: User) -> None:
    review = negative(site)
    document = make(review, reviewer, has_heatmaps=True)
    assert list(list_documents(user=photographer)) == [document]
    ReadingDraft.objects.create(exam=review.exam, reviewer=photographer, updated_at=timezone.now())
    assert not list_documents(user=photographer).exists()
    site.photographers_see_grades = False
    site.save()
    ReadingDraft.objects.all().delete()
    waiting = make_exam(site, "grade 2", "grade 0")
    assert not may_have_heatmaps(exam=waiting, user=photographer)
    assert may_have_heatmaps(exam=review.exam, user=photographer)
