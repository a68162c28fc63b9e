"""Reports on pages: requesting, progress, download, the public page, letterheads."""

from io import BytesIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from screening import tasks
from screening.models import AuditEvent, Document, Letterhead, Membership, Site, User
from screening.reports import making
from screening.selectors.documents import letterhead_of
from screening.services import documents
from screening.services.letterheads import logo_png, stored_letterhead
from screening.views import documents as views
from tests.screening.documents import DOCUMENT, DocumentFactory
from tests.screening.factories import MembershipFactory, PatientFactory
from tests.screening.reports.golden import negative
from tests.screening.views.pages import count_queries, form_data, text_of, url

Verb = AuditEvent.Verb


@pytest.fixture(autouse=True)
def _no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages do not depend on Pango here."""
    monkeypatch.setattr(documents, "publish", lambda _id: None)
    monkeypatch.setattr(making, "render_pdf", lambda html, **_more: f"%PDF-1.7 {html}".encode())
    monkeypatch.setattr(views, "missing_libraries", tuple)


@pytest.fixture
def made(site: Site) -> Document:
    return DocumentFactory(review__exam__patient=PatientFactory(site=site, family_name="Hidden"), is_done=True)


def test_a_report_is_requested_polled_and_downloaded(site: Site, as_reviewer: Client, reviewer: User) -> None:
    review = negative(site)
    exam = review.exam_id
    page = text_of(as_reviewer.get(url("exam-reports", exam)))
    assert "Make the report" in page
    assert 'hx-trigger="none"' in page
    as_reviewer.post(url("exam-reports", exam), {"review": review.pk})
    document = Document.objects.get()
    assert 'hx-trigger="every 1s"' in text_of(as_reviewer.get(url("exam-reports-status", exam)))
    assert as_reviewer.get(url("document-file", document.pk)).status_code == 404
    tasks.make_document(str(document.pk))
    assert url("document-file", document.pk) in text_of(as_reviewer.get(url("exam-reports-status", exam)))
    response: Any = as_reviewer.get(url("document-file", document.pk))
    assert b"Byron" in b"".join(response.streaming_content)
    assert response["Content-Disposition"] == f'attachment; filename="{document.pk}.pdf"'
    assert "no-store" in response["Cache-Control"]
    event = AuditEvent.objects.get(verb=Verb.DOCUMENT_DOWNLOADED)
    document.refresh_from_db()
    assert (event.actor, event.object_id, event.data) == (reviewer, str(document.pk), {"sha256": document.sha256})
    assert url("exam-reports", exam) in text_of(as_reviewer.get(url("exam-detail", exam)))
    assert url("exam-reports", exam) in text_of(as_reviewer.get(url("patient-detail", review.exam.patient_id)))


def test_the_language_is_that_of_the_user_or_another_one(site: Site, as_reviewer: Client, reviewer: User) -> None:
    review = negative(site)
    User.objects.filter(pk=reviewer.pk).update(language="de")
    address = url("exam-reports", review.exam_id)
    assert "selected>Deutsch</option>" in text_of(as_reviewer.get(address))
    as_reviewer.post(address, {"review": review.pk})
    as_reviewer.post(address, {"review": review.pk, "language": "es"})
    assert set(Document.objects.values_list("language", flat=True)) == {"de", "es"}
    assert as_reviewer.post(address, {"review": review.pk, "language": "xx"}).status_code == 400
    for document in Document.objects.all():
        tasks.make_document(str(document.pk))
    page = text_of(as_reviewer.get(address))
    assert '<span lang="es">español</span>' in page
    assert '<span lang="de">Deutsch</span>' in page


def test_without_pango_the_page_states_it(site: Site, as_reviewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "missing_libraries", lambda: ("Pango",))
    page = text_of(as_reviewer.get(url("exam-reports", negative(site).exam_id)))
    assert "Reports cannot be made on this server" in page
    assert "Make the report" not in page


def test_the_page_has_a_constant_number_of_queries(site: Site, as_reviewer: Client) -> None:
    review = negative(site)
    DocumentFactory(review=review, is_done=True)
    before = count_queries(as_reviewer, "exam-reports", review.exam_id)
    for n in range(5):
        DocumentFactory(review=review, is_done=True, data_sha256=str(n) * 64)
    assert count_queries(as_reviewer, "exam-reports", review.exam_id) == before


def test_an_outside_reader_who_may_not_see_people_gets_no_report(site: Site, made: Document, client: Client) -> None:
    site.hides_identity = True
    site.save()
    client.force_login(MembershipFactory(site=site, role=Membership.Role.OUTSIDE_READER).user)
    for name, record in (("exam-reports", made.exam_id), ("document-file", made.pk)):
        assert client.get(url(name, record)).status_code == 404


@pytest.mark.parametrize(("content", "text"), [(DOCUMENT, "It was not changed"), (b"%PDF other", "Do not rely on it")])
def test_anyone_compares_a_file_and_sees_no_patient(content: bytes, text: str, made: Document, client: Client) -> None:
    page = text_of(client.get(url("document-check", made.pk)))
    assert "This document is valid" in page
    file = SimpleUploadedFile("report.pdf", content)
    page += text_of(client.post(url("document-check", made.pk), {"file": file}))
    assert text in page
    for secret in ("Hidden", "Ada", made.patient.mrn, str(made.exam_id), str(made.patient_id)):
        assert secret not in page
    event = AuditEvent.objects.get(verb=Verb.DOCUMENT_COMPARED)
    assert (event.actor, event.data) == (None, {"is_same": content == DOCUMENT})


def test_the_browser_may_send_the_hash_alone(made: Document, client: Client) -> None:
    address = url("document-check", made.pk)
    assert "It was not changed" in text_of(client.post(address, {"sha256": made.sha256}))
    for values in ({"sha256": "x"}, {}, {"file": SimpleUploadedFile("x.pdf", b"")}):
        assert client.post(address, values).status_code == 422
    large = SimpleUploadedFile("x.pdf", b"x" * (8 * 1024 * 1024 + 128 * 1024))
    assert client.post(address, {"file": large}).status_code == 413


def test_the_public_page_is_throttled_and_has_no_documents_that_are_not_made(made: Document, client: Client) -> None:
    waiting = DocumentFactory(review__exam__patient=made.patient)
    assert client.get(url("document-check", waiting.pk)).status_code == 404
    cache.clear()
    codes = [client.get(url("document-check", made.pk)).status_code for _ in range(31)]
    assert codes == [200] * 30 + [429]


def image_file(kind: str = "PNG", size: tuple[int, int] = (300, 100), mode: str = "RGBA") -> bytes:
    out = BytesIO()
    Image.new(mode, size).save(out, kind)
    return out.getvalue()


def test_a_manager_changes_the_letterhead(site: Site, manager: User, client: Client) -> None:
    client.force_login(manager)
    address = url("site-letterhead", site.pk)
    file = SimpleUploadedFile("logo.png", image_file(mode="P"))
    client.post(address, {"name": "Harbour Trust", "address": " 1 Quay \n Town ", "logo": file})
    first = letterhead_of(site)
    assert first is not None
    assert (first.name, first.address) == ("Harbour Trust", "1 Quay\nTown")
    assert bytes(first.logo).startswith(b"\x89PNG")
    client.post(address, {"name": "Harbour Trust", "address": "2 Quay"})
    second = letterhead_of(site)
    assert second is not None
    assert (second.address, bytes(second.logo)) == ("2 Quay", bytes(first.logo))
    client.post(address, {"name": "Harbour Trust", "address": "2 Quay", "without_logo": "on"})
    assert Letterhead.objects.count() == 3
    assert bytes(letterhead_of(site).logo) == b""  # type: ignore[union-attr]
    assert AuditEvent.objects.filter(verb=Verb.LETTERHEAD_CHANGED, actor=manager).count() == 3


def test_two_managers_who_change_the_letterhead_at_once(site: Site, manager: User, client: Client) -> None:
    client.force_login(manager)
    address = url("site-letterhead", site.pk)
    opened = form_data(client.get(address).context["form"])
    client.post(address, opened | {"address": "1 Quay"})
    client.post(address, opened | {"hospital_address": "Eye Hospital"})
    assert stored_letterhead(site) == {"name": site.name, "address": "1 Quay", "hospital_address": "Eye Hospital"}
    assert client.post(address, opened | {"hospital_address": "Eye Hospital"}).status_code == 302
    assert Letterhead.objects.count() == 2
    refused = client.post(address, opened | {"address": "2 Quay"})
    assert "Another person changed this meanwhile. It is now: 1 Quay." in text_of(refused)
    client.post(address, form_data(refused.context["form"]))
    assert stored_letterhead(site) == {"name": site.name, "address": "2 Quay", "hospital_address": "Eye Hospital"}


@pytest.mark.parametrize(
    "file",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a",
        image_file()[:60],
        image_file(size=(8, 8)),
        image_file(size=(4001, 20)),
        b"\x89PNG\r\n\x1a\n" + b"x" * 40_000_000,
    ],
    ids=["svg", "gif", "broken", "small", "wide", "40 MB"],
)
def test_a_bad_logo_is_refused_with_a_sentence_and_nothing_is_lost(
    file: bytes, site: Site, manager: User, client: Client
) -> None:
    client.force_login(manager)
    values = {"name": "Kept Name", "address": "Kept Street", "logo": SimpleUploadedFile("logo", file)}
    response = client.post(url("site-letterhead", site.pk), values)
    page = text_of(response)
    assert response.status_code == 422
    assert "logo" in page
    assert "Kept Name" in page
    assert "Kept Street" in page
    assert not Letterhead.objects.exists()


def test_a_logo_is_written_again_without_what_else_was_in_its_file() -> None:
    original = image_file("JPEG", (2000, 1500), "RGB") + b"<script>"
    png = logo_png(original)
    assert b"script" not in png
    assert Image.open(BytesIO(png)).size == (533, 400)


@pytest.mark.parametrize("address", ["line\n" * 7, "x" * 81])
def test_an_address_that_does_not_fit_is_refused(address: str, site: Site, manager: User, client: Client) -> None:
    client.force_login(manager)
    response = client.post(url("site-letterhead", site.pk), {"name": "x", "address": address})
    assert response.status_code == 422
    assert not Letterhead.objects.exists()
