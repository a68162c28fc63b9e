"""Letters on pages and by the API: their texts, requesting them, the letters to the people of a list."""

import datetime
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from screening import tasks
from screening.models import AuditEvent, Document, LetterBatch, Letterhead, MessageTemplate, Patient, Site, User
from screening.reports import making
from screening.services import documents, letter_batches
from screening.views import letter_batches as batch_views
from screening.views import letters as views
from tests.screening.api.client import ApiClient
from tests.screening.documents import DocumentFactory
from tests.screening.factories import PatientFactory, ReferralFactory
from tests.screening.reports.golden import GOLDEN, letterhead, negative
from tests.screening.views.pages import HTMX, count_queries, text_of, url

Verb = AuditEvent.Verb
GOOD = "Dear {name},\n\nYour photos of {visit_day}.\n\nNext: {recall_day}. Call {phone}."


@pytest.fixture(autouse=True)
def _no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages do not depend on Pango here."""
    monkeypatch.setattr(documents, "publish", lambda _id: None)
    monkeypatch.setattr(letter_batches, "publish", lambda _id: None)
    monkeypatch.setattr(making, "render_pdf", lambda html, **_more: f"%PDF-1.7 {html}".encode())
    monkeypatch.setattr(views, "missing_libraries", tuple)
    monkeypatch.setattr(batch_views, "missing_libraries", tuple)


def text_page(site: Site, kind: str = "result_rescreen", language: str = "fr") -> str:
    return url("site-message-text", site.pk, kind, "letter", language)


def test_a_text_is_stored_as_a_version_with_its_author(site: Site, as_manager: Client, manager: User) -> None:
    sent = {"subject": "Votre résultat", "body": GOOD, "reason": "French", "base": "0", "action": "save"}
    assert as_manager.post(text_page(site), sent).status_code == 302
    row = MessageTemplate.objects.get()
    assert (row.channel, row.language, row.number, row.created_by) == ("letter", "fr", 1, manager)
    assert AuditEvent.objects.get(verb=Verb.MESSAGE_TEXT_CHANGED).data["channel"] == "letter"
    page = text_of(as_manager.get(text_page(site)))
    assert "Votre résultat" in page
    assert str(manager) in page


@pytest.mark.parametrize(
    ("subject", "body", "sentence"),
    [
        (
            "Result",
            "{grade} {visit_day} {recall_day} {phone}",
            "There is no variable {grade}",
        ),
        ("Result", "{visit_day} {phone}", "The text must have {recall_day}"),
        ("Result", "  ", "The text is empty"),
        ("", GOOD, "The subject is empty"),
        ("Result", GOOD + "x" * 3000, "longer than 3000 characters"),
        ("Result", GOOD + "}", "A brace is left over"),
        ("Result", GOOD + "\x07", "cannot be printed"),
    ],
)
def test_a_text_that_is_wrong_is_refused_and_nothing_is_lost(
    subject: str, body: str, sentence: str, site: Site, as_manager: Client
) -> None:
    sent = {"subject": subject, "body": body, "reason": "because", "base": "0", "action": "save"}
    response = as_manager.post(text_page(site), sent)
    page = text_of(response)
    assert response.status_code == 422
    assert sentence.split("{", maxsplit=1)[0] in page
    assert "because" in page
    assert not MessageTemplate.objects.exists()


def test_the_preview_has_made_up_data_and_html_as_it_is_written(site: Site, as_manager: Client) -> None:
    sent = {"subject": "Result", "body": "<b>{name}</b> " + GOOD, "reason": "", "base": "0", "action": "preview"}
    page = as_manager.post(text_page(site, language="en"), sent, headers=HTMX).content.decode()
    assert "&lt;b&gt;Maria Fitzgerald&lt;/b&gt;" in page
    assert "{" not in page


def test_a_preview_stores_nothing_also_with_the_button_that_stores(site: Site, as_manager: Client) -> None:
    sent = {"subject": "Result", "body": GOOD, "reason": "New", "base": "0", "action": "save"}
    assert as_manager.post(text_page(site), sent, headers=HTMX).status_code == 200
    assert not MessageTemplate.objects.exists()


def test_letters_of_a_result_are_made_on_the_page_of_reports(site: Site, as_manager: Client) -> None:
    review = GOLDEN["arabic"](site)
    address = url("exam-letters", review.exam_id)
    sent = {"review": review.pk, "kind": "referral_letter", "variant": "standard"}
    page = text_of(as_manager.post(address, sent, follow=True))
    assert "The address of the eye hospital is missing" in page
    letterhead(site, hospital_address="Eye Hospital")
    page = text_of(as_manager.post(address, sent, follow=True))
    assert "Waiting" in page
    document = Document.objects.get()
    tasks.make_document(str(document.pk))
    response: Any = as_manager.get(url("document-file", document.pk))
    assert b"Eye Hospital" in b"".join(response.streaming_content)
    for broken in ({**sent, "kind": "clinical_report"}, {**sent, "review": uuid.uuid4()}, {**sent, "variant": "x"}):
        assert "Choose" in text_of(as_manager.post(address, broken, follow=True))
    assert Document.objects.count() == 1


def test_a_text_file_is_downloaded_as_text(site: Site, as_manager: Client) -> None:
    patient = PatientFactory(site=site, postal_address="")
    page = text_of(as_manager.get(url("patient-letters", patient.pk)))
    assert "The postal address of this person is not recorded" in page
    as_manager.post(url("patient-letters", patient.pk), {"kind": "invitation_letter", "variant": "plain_text"})
    document = Document.objects.get()
    tasks.make_document(str(document.pk))
    response: Any = as_manager.get(url("document-file", document.pk))
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"].endswith(f'{document.pk}.txt"')
    assert b"It is time for your eye test" in b"".join(response.streaming_content)
    page = text_of(as_manager.get(url("patient-letters", patient.pk), headers=HTMX))
    assert url("document-file", document.pk) in page


def test_without_pango_the_pages_state_it(site: Site, as_manager: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "missing_libraries", lambda: ("Pango",))
    monkeypatch.setattr(batch_views, "missing_libraries", lambda: ("Pango",))
    patient = overdue(site)
    for page in (url("patient-letters", patient.pk), url("site-due-list-letters", site.pk)):
        text = text_of(as_manager.get(page))
        assert "Letters cannot be made on this server" in text
        assert "Make the letter" not in text


def test_lists_have_a_constant_number_of_queries(site: Site, as_manager: Client, manager: User) -> None:
    document = DocumentFactory(review=negative(site), is_done=True)
    batch = {"site": site, "variant": "standard", "n_letters": 1, "created_by": manager, "state": "done"}
    LetterBatch.objects.create(**batch)
    counts = [
        count_queries(as_manager, "patient-letters", document.patient_id),
        count_queries(as_manager, "site-letter-batches", site.pk),
    ]
    for n in range(5):
        DocumentFactory(review=document.review, is_done=True, data_sha256=str(n) * 64)
        LetterBatch.objects.create(**batch)
    assert counts == [
        count_queries(as_manager, "patient-letters", document.patient_id),
        count_queries(as_manager, "site-letter-batches", site.pk),
    ]


def overdue(site: Site, **values: Any) -> Patient:
    day = timezone.localdate() - datetime.timedelta(days=60)
    return PatientFactory(site=site, **{"postal_address": "7 Mill Lane", "due_on": day, "next_step_on": day, **values})


def test_letters_of_a_due_list_are_made_shown_and_downloaded(
    site: Site, as_manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    overdue(site)
    overdue(site, postal_address="")
    monkeypatch.setattr("screening.reports.letter_batches.write_folded_pdf", lambda _rows, out: out.write(b"%PDF"))
    address = url("site-due-list-letters", site.pk)
    assert address in text_of(as_manager.get(url("site-due-list", site.pk)))
    page = text_of(as_manager.get(address))
    assert "1 letter is made." in page
    assert "No postal address" in page
    batch_id = uuid.uuid4()
    as_manager.post(address, {"batch": batch_id, "variant": "standard"})
    page = text_of(as_manager.get(url("letter-batch", batch_id)))
    assert "0 of 1 letter is made." in page
    assert "every 2s" in page
    assert as_manager.get(url("letter-batch-file", batch_id)).status_code == 404
    tasks.make_letters(str(batch_id))
    page = text_of(as_manager.get(url("letter-batch", batch_id)))
    assert "1 of 1 letter is made." in page
    for file_format, content_type in (("pdf", "application/pdf"), ("zip", "application/zip")):
        response: Any = as_manager.get(url("letter-batch-file", batch_id), {"format": file_format})
        assert response["Content-Type"] == content_type
        assert response["Content-Disposition"].endswith(f'{batch_id}.{file_format}"')
        assert b"".join(response.streaming_content)
    assert AuditEvent.objects.filter(verb=Verb.LETTERS_DOWNLOADED).count() == 2
    assert text_of(as_manager.get(url("site-letter-batches", site.pk))).count("can be printed") == 1
    assert "These files are deleted after" in text_of(as_manager.get(url("letter-batch", batch_id)))
    old = timezone.now() - datetime.timedelta(days=8)
    LetterBatch.objects.filter(pk=batch_id).update(finished_at=old)
    tasks.delete_letter_files()
    page = text_of(as_manager.get(url("letter-batch", batch_id)))
    assert "The files were deleted on" in page
    assert "Separate files (ZIP)" not in page
    page = text_of(as_manager.post(url("letter-batch-again", batch_id), follow=True))
    assert "every 2s" in page
    assert "Make the files again" not in page
    assert "are being made" in text_of(as_manager.post(url("letter-batch-again", batch_id), follow=True))


def test_letters_of_results_begin_at_the_list(site: Site, as_manager: Client) -> None:
    review = negative(site)
    Patient.objects.filter(pk=review.exam.patient_id).update(doctor_address="Dr Ruth Doctor")
    assert url("result-letters", "doctor_letter") in text_of(as_manager.get(url("results")))
    page = text_of(as_manager.get(url("result-letters", "doctor_letter")))
    assert "1 letter is made." in page
    assert as_manager.get(url("result-letters", "clinical_report")).status_code == 404


def test_letters_of_referrals_begin_at_the_list(site: Site, as_manager: Client) -> None:
    review = GOLDEN["chinese"](site)
    ReferralFactory(exam=review.exam, review=review, site=site)
    address = url("referral-letters")
    assert address in text_of(as_manager.get(url("referrals")))
    assert address not in text_of(as_manager.get(url("referrals"), {"state": "sent"}))
    assert "address of the eye hospital is missing" in text_of(as_manager.get(address, follow=True))
    letterhead(site, hospital_address="Eye Hospital")
    assert "1 letter is made." in text_of(as_manager.get(address, {"late": "all"}))
    as_manager.post(address, {"batch": uuid.uuid4(), "variant": "standard"})
    assert LetterBatch.objects.get().letters.get().kind == "referral_letter"


def test_letters_are_requested_listed_and_downloaded_by_the_api(site: Site, manager: User) -> None:
    api, review = ApiClient(manager), negative(site)
    patient = review.exam.patient_id
    answer = api.post(f"exams/{review.exam_id}/letters", {"kind": "result_letter", "variant": "plain_text"})
    assert (answer.status, answer.body["kind"], answer.body["variant"]) == (201, "result_letter", "plain_text")
    again = api.post(f"exams/{review.exam_id}/letters", {"kind": "result_letter", "variant": "plain_text"})
    assert (again.status, again.body["id"]) == (200, answer.body["id"])
    assert api.post(f"patients/{patient}/documents", {"kind": "reminder_letter"}).status == 201
    tasks.make_document(answer.body["id"])
    response: Any = api.client.get(f"/api/v1/documents/{answer.body['id']}/file")
    assert b"Ada Byron" in b"".join(response.streaming_content)
    listed = api.get(f"patients/{patient}/documents").body["results"]
    assert [one["kind"] for one in listed] == ["reminder_letter", "result_letter"]
    refused = api.post(f"exams/{review.exam_id}/letters", {"kind": "doctor_letter"})
    assert (refused.status, refused.body["code"]) == (409, "exam_conflict")
    assert api.post(f"exams/{review.exam_id}/letters", {"kind": "invitation_letter"}).status == 400


def test_an_address_is_checked_and_kept_on_the_form(site: Site, as_manager: Client) -> None:
    patient = PatientFactory(site=site)
    page = url("patient-edit", patient.pk)
    form = as_manager.get(page).context["form"]
    values = {name: form[name].value() or "" for name in form.fields if name != "is_birth_unknown"}
    response = as_manager.post(page, {**values, "postal_address": "1\n2\n3\n4\n5\n6\n7"})
    assert response.status_code == 422
    assert "The address has 7 lines. Write at most 6." in text_of(response)
    as_manager.post(page, {**values, "postal_address": " 7 Mill Lane \n\n Town "})
    patient.refresh_from_db()
    assert patient.postal_address == "7 Mill Lane\nTown"
    assert not Letterhead.objects.exists()
