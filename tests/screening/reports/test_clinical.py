"""The clinical report: its text compared with the data, its structure, the same bytes each time."""

import os
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pytest

from screening.labels.lesions import lesion_text
from screening.models import Review, Site
from screening.policy.lesions import Lesion
from screening.reports import making
from tests.screening.reports.golden import GOLDEN, LONG, WITH_HEATMAPS, all_lesions, letterhead, negative, requested
from tests.screening.reports.pdf_a import faults

pytestmark = pytest.mark.usefixtures("pango")

EXPECTED = {
    "negative": ("Byron, Ada", "Screen again at the recall date", "due 20 Nov 2027", "built-in rules"),
    "arabic": ("Refer to a specialist", "Urgency: Within 3 to 6 months", "Cataract", "Heatmap of the grade"),
    "devanagari": ("R2H: Pre-proliferative, higher risk", "M1: Maculopathy", "P1: Scars", "Right eye: R2H"),
    "chinese": ("Refer to a specialist at once", "Present, centre involved", "Proliferative (4)"),
    "longest": ("M" * 40, "Epiretinal membrane", "Differs from the lesions"),
    "absent_eye": ("Absent", "Prosthesis since 1998", "Mild non-proliferative (1)"),
    "ungradable": ("Ungradable", "never counts as negative", "slit-lamp"),
    "amended": ("AMENDED, NOT VALID", "Replaced by Second Reader", "A haemorrhage was overlooked."),
    "amendment": ("amended clinical report", "It replaces the one that Rosalind Reader signed", "overlooked"),
    "in_error": ("ENTERED IN ERROR", "Photographs of the wrong visit", "Do not act on it"),
}
NAMES = {"arabic": "محمد", "devanagari": "सुनीता", "chinese": "小明"}
EVERYWHERE = (
    "Harbour Clinic",
    "Signed by Rosalind Reader, 20 Nov 2026",
    "First reading: Rosalind Reader",
    "fake, version 1.0.0, hash of the weights begins with 00000000",
    "decision support and not a certified medical device",
    "6/12 (0.30 logMAR)",
    "Taken on 20 Nov 2026",
    "https://localhost/documents/00000000-0000-0000-0000-000000000007/",
)

FRENCH = (
    "Dépistage de la rétinopathie diabétique : compte rendu clinique",
    "Byron, Ada",
    "17 mai 1960",
    "Femme",
    "Visite 20 novembre 2026",
    "Nouveau dépistage à la date de rappel",
    "Non proliférante minime (1)",
    "Absent",
    "Prosthesis since 1998",
    "6/12 (0,30 logMAR)",
    "Prise le 20 novembre 2026 · Centrée sur la macula",
    "Carte de chaleur du stade",
    "Première lecture : Rosalind Reader, 20 novembre 2026 13:05",
    "Signé par Rosalind Reader, 20 novembre 2026 14:05",
    "version 1.0.0",
    "Le modèle est une aide à la décision",
)


def flat(text: str) -> str:
    """Without the line breaks of the page."""
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("name", GOLDEN)
def test_the_text_is_that_of_the_record(name: str, site: Site, settings: Any) -> None:
    settings.PUBLIC_URL = "https://localhost"
    review = GOLDEN[name](site)
    head = letterhead(site) if name in {"longest", "chinese"} else None
    pdf = making.pdf_of(requested(review, has_heatmaps=name in WITH_HEATMAPS, letterhead=head))
    if folder := os.environ.get("REPORTS_DIR"):
        (Path(folder) / f"{name}.pdf").write_bytes(pdf)
    pages = pypdf.PdfReader(BytesIO(pdf)).pages
    text = flat(" ".join(page.extract_text() for page in pages))
    solid = text.replace(" ", "")
    assert len(pages) <= 2
    of_signer = [expected.replace("Rosalind Reader, 20", "Second Reader, 21") for expected in EVERYWHERE]
    for expected in (*(of_signer if name == "amendment" else EVERYWHERE), *EXPECTED[name]):
        assert expected.replace(" ", "") in solid, expected
    if name in NAMES:
        assert set(NAMES[name]) & set(text)
    if name == "longest":
        assert LONG[:80] in solid
        for code, value in all_lesions().items():
            assert lesion_text(Lesion(code), value).replace(" ", "") in solid
    assert ("Heatmap" in text) == (name in WITH_HEATMAPS)
    assert "PRACTICE" not in text


def test_a_report_in_french_has_the_data_in_french(site: Site, settings: Any) -> None:
    settings.PUBLIC_URL = "https://localhost"
    review = GOLDEN["absent_eye"](site)
    pdf = making.pdf_of(requested(review, has_heatmaps=True, language="fr"))
    text = flat(" ".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages))
    for expected in FRENCH:
        assert expected in text, expected
    for english in ("Right eye", "Result", "Signed", "Nov ", "0.30", "Photograph", "Urgency"):
        assert english not in text
    with pikepdf.open(BytesIO(pdf)) as opened:
        assert (str(opened.Root.Lang), flat(str(opened.docinfo["/Title"]))) == ("fr", FRENCH[0])


def test_it_is_a_tagged_pdf_a_with_fonts_inside(site: Site) -> None:
    data = making.pdf_of(requested(negative(site)))
    assert faults(data, "en") == []
    with pikepdf.open(BytesIO(data)) as pdf:
        assert pdf.docinfo["/Title"] == "Diabetic retinopathy screening: clinical report"
        kinds = {str(row.get("/S")) for row in pdf.objects if isinstance(row, pikepdf.Dictionary)}
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/Figure"} <= kinds


def test_the_same_data_make_the_same_bytes(site: Site) -> None:
    document = requested(GOLDEN["arabic"](site), has_heatmaps=True)
    assert making.pdf_of(document) == making.pdf_of(document)


def test_photographs_are_small(site: Site) -> None:
    with pikepdf.open(BytesIO(making.pdf_of(requested(GOLDEN["chinese"](site), has_heatmaps=True)))) as pdf:
        sizes = [
            len(obj.read_raw_bytes())
            for obj in pdf.objects
            if isinstance(obj, pikepdf.Stream) and obj.get("/Filter") == "/DCTDecode"
        ]
    assert len(sizes) == 4
    assert max(sizes) <= 300_000


def test_a_report_of_a_practice_site_is_marked(site: Site, other_site: Site) -> None:
    review = negative(site)
    Site.objects.filter(pk=site.pk).update(practice_of=other_site)
    pdf = making.pdf_of(requested(Review.objects.get(pk=review.pk)))
    text = flat(" ".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages))
    assert "PRACTICE, NOT A PATIENT" in text
    assert "there is no such patient. Do not act on it." in text
