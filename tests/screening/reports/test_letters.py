"""Letters: their text compared with the data, their structure, the same bytes each time."""

import datetime
import os
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pytest
from django.utils import timezone

from screening.models import Document, FundusImage, MessageTemplate, Patient, Review, Site, User
from screening.policy import Outcome
from screening.policy.letters import RESULT_KINDS, LetterVariant
from screening.reports import making
from screening.reports.clinical import DataChanged, ReportRefused
from screening.reports.letters import OF_RECALL, LetterRefused
from screening.reports.requests import request_letter
from screening.services import documents
from tests.screening.factories import ExamFactory, ReviewFactory
from tests.screening.reports.golden import GOLDEN, LONG, add_amendment, addressed, mark_in_error

Kind = Document.Kind


@pytest.fixture(autouse=True)
def _unsent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "publish", lambda _id: None)


def requested(review: Review, by: User, kind: Kind = Kind.RESULT_LETTER, variant: str = "standard") -> Document:
    """A queued letter about a review or, of call and recall, to its patient."""
    about = None if kind in OF_RECALL else review
    patient = Patient.objects.get(pk=review.exam.patient_id)
    return request_letter(kind=kind, patient=patient, review=about, variant=LetterVariant(variant), by=by)[0]


def text_of(pdf: bytes) -> str:
    """The text of all pages, without line breaks."""
    pages = pypdf.PdfReader(BytesIO(pdf)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def pdf_of(document: Document, name: str = "") -> bytes:
    """The file, also stored under ``name`` if the letters are looked at."""
    content = making.pdf_of(document)
    if (folder := os.environ.get("REPORTS_DIR")) and name:
        (Path(folder) / f"{name}.{document.extension}").write_bytes(content)
    return content


LETTERS: dict[str, tuple[str, Kind, tuple[str, ...]]] = {
    "result": ("negative", Kind.RESULT_LETTER, ("Ada Byron 7 Mill Lane", "20 Nov 2026", "due on 20 Nov 2027")),
    "result-refer": ("arabic", Kind.RESULT_LETTER, ("We found changes", "asked the eye clinic to see you")),
    "result-urgent": ("chinese", Kind.RESULT_LETTER, ("Please call the number at the top of this letter today",)),
    "result-lamp": ("ungradable", Kind.RESULT_LETTER, ("with a special lamp",)),
    "doctor": (
        "devanagari",
        Kind.DOCTOR_LETTER,
        ("Dr Ruth Doctor 9 High Street", "medical record number", "R2H: Pre-proliferative", "Rosalind Reader"),
    ),
    "hospital": (
        "chinese",
        Kind.REFERRAL_LETTER,
        ("Eye Hospital 1 Quay Road", "Urgency: Immediate", "Present, centre involved", "Right eye", "Taken on"),
    ),
    "invitation": ("negative", Kind.INVITATION_LETTER, ("Your eye test is due", "It is time for your eye test")),
    "reminder": ("negative", Kind.REMINDER_LETTER, ("You have not come yet",)),
    "missed": ("negative", Kind.MISSED_LETTER, ("We hope that you are well",)),
    "absent": ("absent_eye", Kind.DOCTOR_LETTER, ("Left eye:", "Prosthesis since 1998")),
    "amendment": ("amendment", Kind.DOCTOR_LETTER, ("graded by Second Reader",)),
}


@pytest.mark.usefixtures("pango")
@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_has_the_text_of_its_kind_and_the_data(name: str, site: Site, reviewer: User) -> None:
    make, kind, texts = LETTERS[name]
    site.memberships.create(user=reviewer, role="manager")
    text = text_of(pdf_of(requested(addressed(GOLDEN[make](site)), reviewer, kind), name))
    for expected in (*texts, "Harbour Clinic"):
        assert expected in text
    assert "{" not in text
    assert ("Check this document" in text or "To check this document" in text) == (
        kind in {Kind.DOCTOR_LETTER, Kind.REFERRAL_LETTER}
    )


NAMES = {"arabic": "محمد العلي", "devanagari": "सुनीता शर्मा", "chinese": "小明 王", "longest": LONG}


@pytest.mark.usefixtures("pango")
@pytest.mark.parametrize("variant", ["standard", "large_print"])
@pytest.mark.parametrize(
    ("name", "letters"),
    [("arabic", "محمد العلي"), ("devanagari", "सुनीता शर्मा"), ("chinese", "小明 王"), ("longest", LONG)],
)
def test_names_of_all_scripts_are_printed_whole(
    name: str, letters: str, variant: str, site: Site, reviewer: User
) -> None:
    review = addressed(GOLDEN[name](site))
    pdf = pdf_of(requested(review, reviewer, variant=variant), f"{name}-{variant}")
    text = text_of(pdf)
    assert {char for char in letters if char.isalpha()} <= set(text)
    assert "\ufffd" not in text
    assert "\u0000" not in text
    assert len(pypdf.PdfReader(BytesIO(pdf)).pages) <= (1 if variant == "standard" else 2)


@pytest.mark.usefixtures("pango")
def test_it_is_a_tagged_pdf_a_with_title_and_language(site: Site, reviewer: User) -> None:
    pdf = pdf_of(requested(addressed(GOLDEN["chinese"](site)), reviewer, Kind.REFERRAL_LETTER))
    with pikepdf.open(BytesIO(pdf)) as opened:
        root = opened.Root
        assert str(root.Lang) == "en"
        assert root.MarkInfo.Marked
        assert opened.docinfo["/Title"] == "Referral from diabetic retinopathy screening: 小明 王"
        with opened.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
        rows: list[Any] = [obj for obj in opened.objects if isinstance(obj, pikepdf.Dictionary)]
        assert {"/H1", "/H2", "/H3", "/P", "/Figure"} <= {str(row.get("/S")) for row in rows}
        assert all(str(row.Alt) for row in rows if row.get("/S") == "/Figure")
        fonts = [row for row in rows if row.get("/Type") == "/FontDescriptor"]
        assert all("/FontFile2" in font or "/FontFile3" in font for font in fonts)
        photos = [
            obj for obj in opened.objects if isinstance(obj, pikepdf.Stream) and obj.get("/Filter") == "/DCTDecode"
        ]
        assert len(photos) == 2
        assert max(len(one.read_raw_bytes()) for one in photos) <= 300_000


@pytest.mark.usefixtures("pango")
@pytest.mark.parametrize("variant", list(LetterVariant))
def test_the_same_data_make_the_same_bytes(variant: LetterVariant, site: Site, reviewer: User) -> None:
    document = requested(addressed(GOLDEN["chinese"](site)), reviewer, variant=variant)
    assert making.pdf_of(document) == making.pdf_of(document)


@pytest.mark.usefixtures("pango")
def test_large_print_has_18_points(site: Site, reviewer: User) -> None:
    sizes: dict[str, float] = {}

    def note(text: str, _cm: Any, _tm: Any, _font: Any, size: float) -> None:
        if text.strip():
            sizes[text.strip()[:7]] = abs(_tm[3] * size * _cm[3])

    pdf = pdf_of(requested(addressed(GOLDEN["negative"](site)), reviewer, variant="large_print"), "large")
    pypdf.PdfReader(BytesIO(pdf)).pages[0].extract_text(visitor_text=note)
    assert round(sizes["Dear Ad"], 1) == 18


def test_the_text_file_has_the_whole_letter(site: Site, reviewer: User) -> None:
    content = pdf_of(requested(addressed(GOLDEN["arabic"](site)), reviewer, variant="plain_text"), "text").decode()
    dear = "\n\nYour eye test result\n\nDear \u2067محمد العلي\u2069,"
    for expected in ("محمد العلي\n7 Mill Lane", dear, "Document ", "Harbour"):
        assert expected in content
    assert "<" not in content


def test_html_of_a_text_and_a_name_stays_as_it_is_written(site: Site, reviewer: User) -> None:
    review = addressed(GOLDEN["negative"](site))
    Patient.objects.filter(pk=review.exam.patient_id).update(given_name="<img src=x>", family_name="{phone}")
    MessageTemplate.objects.create(
        site=site, kind="result_rescreen", channel="letter", language="en", number=1, reason="x", created_by=reviewer,
        subject="<b>Result</b>", body="<script>alert(1)</script> {name} {visit_day} {recall_day} {phone}",
    )  # fmt: skip
    document = requested(review, reviewer)
    text = text_of(pdf_of(document))
    assert "<b>Result</b> <script>alert(1)</script> <img src=x> {phone} 20 Nov 2026" in text
    assert document.text is not None


@pytest.mark.parametrize(
    ("make", "kind", "error", "sentence"),
    [
        ("negative", Kind.REFERRAL_LETTER, LetterRefused, "does not refer the patient"),
        ("arabic", Kind.REFERRAL_LETTER, LetterRefused, "address of the eye hospital is missing"),
        ("negative", Kind.DOCTOR_LETTER, LetterRefused, "address of the doctor is missing"),
        ("amended", Kind.RESULT_LETTER, LetterRefused, "does not count any more"),
        ("in_error", Kind.RESULT_LETTER, LetterRefused, "does not count any more"),
    ],
)
def test_what_has_no_letter_is_refused_with_a_sentence(
    make: str, kind: Kind, error: type[Exception], sentence: str, site: Site, reviewer: User
) -> None:
    with pytest.raises(error, match=sentence):
        requested(GOLDEN[make](site), reviewer, kind)
    assert not Document.objects.exists()


@pytest.mark.parametrize("kind", [Kind.RESULT_LETTER, Kind.DOCTOR_LETTER])
def test_a_letter_does_not_contradict_a_later_result(kind: Kind, site: Site, reviewer: User) -> None:
    review = addressed(GOLDEN["negative"](site))
    ExamFactory(patient=review.exam.patient)
    assert requested(review, reviewer, kind)
    ReviewFactory(exam__patient=review.exam.patient)
    with pytest.raises(LetterRefused, match="A later exam of this person has a result"):
        requested(review, reviewer, kind)


@pytest.mark.parametrize("kind", [Kind.RESULT_LETTER, Kind.INVITATION_LETTER])
def test_no_letter_goes_to_the_deceased(kind: Kind, site: Site, reviewer: User) -> None:
    review = addressed(GOLDEN["negative"](site))
    Patient.objects.filter(pk=review.exam.patient_id).update(register_status="deceased")
    with pytest.raises(LetterRefused, match="deceased, by the register"):
        requested(Review.objects.get(pk=review.pk), reviewer, kind)


def withdraw(review: Review) -> None:
    images = FundusImage.objects.filter(exam=review.exam)
    images.filter(laterality="OD").update(withdrawn_at=timezone.now(), withdrawn_code="wrong_eye")


def move(review: Review) -> None:
    Patient.objects.filter(pk=review.exam.patient_id).update(postal_address="1 Other Road")


@pytest.mark.parametrize("change", [withdraw, mark_in_error, add_amendment, move])
def test_a_record_that_changed_meanwhile_makes_no_letter(change: Any, site: Site, reviewer: User) -> None:
    review = addressed(GOLDEN["arabic"](site))
    kind = Kind.RESULT_LETTER if change is move else Kind.REFERRAL_LETTER
    document = requested(review, reviewer, kind)
    change(review)
    document = Document.objects.get(pk=document.pk)
    with pytest.raises((DataChanged, LetterRefused, ReportRefused)):
        making.pdf_of(document)


def test_a_withdrawn_photograph_is_stated_in_the_letter(site: Site, reviewer: User) -> None:
    review = addressed(GOLDEN["arabic"](site))
    withdraw(review)
    document = requested(review, reviewer, Kind.REFERRAL_LETTER)
    assert "The photograph was withdrawn" in text_of(pdf_of(document))


def test_the_same_letter_is_made_once_a_day(site: Site, reviewer: User) -> None:
    review = addressed(GOLDEN["negative"](site))
    first = requested(review, reviewer)
    assert requested(review, reviewer) == first
    assert requested(review, reviewer, variant="large_print") != first
    Document.objects.filter(pk=first.pk).update(created_at=timezone.now() - datetime.timedelta(days=2))
    assert requested(review, reviewer) != first


def test_every_outcome_has_a_text() -> None:
    assert set(RESULT_KINDS) == set(Outcome)
