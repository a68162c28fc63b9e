"""Documents in each language: their text compared with the data, their structure, the same bytes in each process."""

import hashlib
import json
import os
import subprocess
import sys
from io import BytesIO
from typing import Any

import pikepdf
import pypdf
import pytest

from screening.models import Document, Site, User
from screening.policy.letters import LetterVariant
from screening.reports import making
from screening.reports.engine import render_pdf
from screening.reports.requests import request_letter, request_report
from screening.services import documents
from tests.screening.reports.golden import GOLDEN, addressed, requested
from tests.screening.reports.pdf_a import faults
from tests.screening.reports.test_clinical import flat

pytestmark = pytest.mark.usefixtures("pango")

TEXTS: dict[str, tuple[str, ...]] = {
    "en": ("20 Nov 2026", "17 May 1960", "0.30 logMAR", "Proliferative (4)", "Present, centre involved", "Immediate"),
    "fr": (
        "20 novembre 2026",
        "17 mai 1960",
        "0,30 logMAR",
        "Proliférante (4)",
        "atteinte du centre",
        "Immédiate",
    ),
    "de": ("20. November 2026", "17. Mai 1960", "0,30 logMAR", "Proliferativ (4)", "Makulaödem", "Sofort"),
    "es": (
        "20 de noviembre de 2026",
        "17 de mayo de 1960",
        "0,30 logMAR",
        "Proliferativa (4)",
        "afectación",
        "Inmediata",
    ),
}
"""Day of the visit, birth date, acuity, grade, oedema, urgency of the patient who is referred at once."""
PROGRAM = """
import hashlib, json, sys
import django
django.setup()
from screening.reports.engine import render_pdf
sent = json.load(sys.stdin)
assets = {name: bytes.fromhex(data) for name, data in sent["assets"].items()}
pdf = render_pdf(sent["html"], assets=assets, identifier=bytes.fromhex(sent["identifier"]))
print(hashlib.sha256(pdf).hexdigest())
"""


def test_reports_and_letters_of_each_language_have_the_data(
    site: Site, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "publish", lambda _id: None)
    review = addressed(GOLDEN["chinese"](site))
    for language, texts in TEXTS.items():
        Site.objects.filter(pk=site.pk).update(message_language=language)
        review = type(review).objects.get(pk=review.pk)
        patient, variant = review.exam.patient, LetterVariant.STANDARD
        kind = Document.Kind.REFERRAL_LETTER
        made = [request_letter(kind=kind, patient=patient, review=review, variant=variant, by=reviewer)[0]]
        if language in {"de", "es"}:
            made += [request_report(review=review, has_heatmaps=False, language=language, by=reviewer)[0]]
        for document in made:
            pdf = making.pdf_of(document)
            text = flat(" ".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages))
            for expected in (*texts, patient.mrn):
                assert expected in text, (language, document.kind, expected)
            assert set(patient.family_name) <= set(text)
            assert faults(pdf, language) == []


def test_the_checks_of_pdf_a_find_a_file_that_is_none(site: Site) -> None:
    plain = BytesIO()
    with pikepdf.open(BytesIO(making.pdf_of(requested(GOLDEN["negative"](site))))) as pdf:
        del pdf.Root.OutputIntents
        pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="x")
        pdf.pages[0].contents_add(b"0 0 9 9 re f")
        for one in pdf.objects:
            if isinstance(one, pikepdf.Stream) and one.get("/Subtype") == "/Image":
                one.Interpolate = True
            if isinstance(one, pikepdf.Dictionary):
                for key in {"/Alt", "/ID", "/FontFile2"} & set(one.keys()):
                    del one[key]
        pdf.save(plain)
    found = " ".join(faults(plain.getvalue(), "fr"))
    for fault in (
        "output intent",
        "language",
        "/OpenAction",
        "action",
        "outside",
        "interpolated",
        "alternative",
        "headers",
    ):
        assert fault in found
    assert "not embedded" in found


def test_another_process_makes_the_same_bytes(site: Site, reviewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "publish", lambda _id: None)
    sent: dict[str, Any] = {}

    def note(html: str, *, assets: dict[str, bytes], identifier: bytes) -> bytes:
        files = {name: data.hex() for name, data in assets.items()}
        sent.update(html=html, assets=files, identifier=identifier.hex())
        return render_pdf(html, assets=assets, identifier=identifier)

    monkeypatch.setattr(making, "render_pdf", note)
    review = GOLDEN["arabic"](site)
    document, _is_new = request_report(review=review, has_heatmaps=False, language="fr", by=reviewer)
    digest = hashlib.sha256(making.pdf_of(document)).hexdigest()
    environment = {**os.environ, "PYTHONHASHSEED": "1", "DJANGO_SETTINGS_MODULE": "drsite.settings", "DEBUG": "true"}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(
        command, input=json.dumps(sent), env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == digest
