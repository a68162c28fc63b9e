"""A letter in French, by clicking: the manager writes the text, and makes the letter of a result."""

from io import BytesIO

import pypdf
import pytest
from playwright.sync_api import expect

from screening import tasks
from screening.models import Document, MessageTemplate, Patient, Site, User
from screening.reports import engine
from screening.services import documents
from tests.browser.conftest import WAIT_MS, Visit
from tests.screening.reports.conftest import pango  # noqa: F401 (a fixture)
from tests.screening.reports.golden import negative

pytestmark = pytest.mark.browser
BODY = "Bonjour {name},\n\nRien à soigner sur vos photos du {visit_day}.\n\nÀ revoir le {recall_day}. Appelez {phone}."


@pytest.mark.usefixtures("pango")
def test_a_manager_writes_a_french_text_and_makes_a_letter(
    visit: Visit, site: Site, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.missing_letters("a")  # the first document of a process loads fonts for seconds; no page waits for it
    monkeypatch.setattr(documents, "publish", lambda document_id: tasks.make_document(str(document_id)))
    review = negative(site)
    Patient.objects.filter(pk=review.exam.patient_id).update(language="fr", postal_address="7 rue du Port\nSaint-Malo")
    page = visit(f"/sites/{site.pk}/messages/texts/?language=fr", manager)
    row = page.get_by_role("row").filter(has_text="Result: screen again at the recall date")
    row.get_by_role("link", name="Change").click()
    page.get_by_label("Subject").fill("Votre résultat")
    page.get_by_label("Text", exact=True).fill("Bonjour {nom}")
    expect(page.locator("#text-preview")).to_contain_text("There is no variable {nom}")
    page.get_by_label("Text", exact=True).fill(BODY)
    expect(page.locator("#text-preview")).to_contain_text("Bonjour Marie Lefèvre")
    page.get_by_label("Reason for the change").fill("French text")
    page.get_by_role("button", name="Store as a new version").click()
    expect(page.get_by_text("Version 1 is stored.")).to_be_visible()
    assert MessageTemplate.objects.get().language == "fr"
    page.goto(f"/exams/{review.exam_id}/reports/")
    page.get_by_role("button", name="Letter to the patient").click()
    expect(page.get_by_role("link", name="Letter to the patient")).to_be_visible(timeout=3 * WAIT_MS)
    document = Document.objects.get()
    assert document.language == "fr"
    pdf = pypdf.PdfReader(BytesIO(document.file.read()))
    text = " ".join(pdf.pages[0].extract_text().split())
    for expected in ("Bonjour Ada Byron", "7 rue du Port", "Rien à soigner sur vos photos du 20 novembre 2026"):
        assert expected in text
    assert str(pdf.root_object["/Lang"]) == "fr"
