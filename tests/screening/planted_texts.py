"""Texts that name a person, planted in the records of an exam, and a search for them in each response."""

from collections.abc import Iterator
from typing import Any

from django.core.cache import cache
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from screening.models import (
    Exam,
    Patient,
    Review,
    User,
    VisitFacts,
)
from tests.builders import photo_bytes
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    ReviewFactory,
    UserFactory,
)
from tests.screening.test_access_audit import routes
from tests.screening.views.pages import HTMX

TEXT = "Zq-Freetext"
NAMES = (
    "Zq-Family",
    "Zq-Given",
    "ZQ-MRN",
    "zq-family",
    "1961-07-23",
    "23 Jul 1961",
    "July 1961",
    "23.07.1961",
    "1961-07",
)
MORE_NAMES = ("07700-900", "zq.mail", TEXT, "Zq-Other-Clinic", "Zq-Camera", "since 1987", "2024-03-05", "5 Mar 2024")
PLANTED = (*NAMES, *MORE_NAMES, "Marker-Family", "Marker-Given", "MRN-MARKER")
POSTS: dict[str, dict[str, str]] = {
    "worklist-export": {"format": "csv"},
    "patient-export": {"format": "csv"},
    "result-export": {"format": "csv"},
    "referral-export": {"format": "csv", "state": "open"},
    "worklist": {"text": "Zq-Fam", "sort": "patient"},
    "patient-list": {"text": "zq-mr"},
    "exam-next": {},
    "exam-lock": {},
    "exam-draft": {"OD-verdict": "1"},
    "exam-first-reading": {"OD-verdict": "1", "OD-macular_oedema": "none"},
    "exam-preview": {},
    "exam-sign": {"OD-verdict": "1"},
    "exam-return": {},
    "exam-take-over": {},
}


def plant_exam(patient: Patient, *, captured_on: str = "2024-03-05", **changes: Any) -> Exam:
    """An exam with a photographed right eye, and texts about the left one."""
    texts = ("left_eye_not_photographed_reason", "returned_reason", "right_eye_unobtainable_reason")
    values = {"is_submitted": True, "right_eye_unobtainable": "other", **dict.fromkeys(texts, TEXT)}
    exam: Exam = ExamFactory(patient=patient, **values | changes)
    image = FundusImageFactory(
        exam=exam, file=ContentFile(photo_bytes(), name="photo.jpg"), camera="Zq-Camera", copy_reason=TEXT,
        captured_on=captured_on, captured_on_source="client",
    )  # fmt: skip
    GradingFactory(image=image, is_done=True)
    VisitFacts.objects.create(
        exam=exam, hba1c=7, hba1c_unit="percent", hba1c_mmol_mol=53, hba1c_on="2024-03-05", recorded_by=UserFactory()
    )
    return exam


def sign(exam: Exam, reviewer: User | None = None) -> Review:
    """A signed review with texts, and what follows from it."""
    values = {"reviewer": reviewer} if reviewer else {}
    review: Review = ReviewFactory(exam=exam, note="own" if reviewer else TEXT, **values)
    text = "own" if reviewer else TEXT
    EyeFindingFactory(
        review=review, laterality="OD", other_disease=text, changed_reason=text, contradiction_reason=text
    )
    Exam.objects.filter(pk=exam.pk).update(status=Exam.Status.SIGNED)
    return review


def content_of(response: Any) -> str:
    """Body and headers."""
    body: bytes = b"".join(response.streaming_content) if response.streaming else response.content
    return f"{body.decode('utf-8', 'replace')} {dict(response.headers)} {response.cookies.output()}"


def leaks(client: Client, records: dict[str, Any], *, but: dict[str, Any] | None = None) -> Iterator[str]:
    """Names of the routes that have a planted text in the response, with the text; without the routes of ``but``."""
    left_out = {("screening:logout", reverse("screening:logout")), *(routes(but) if but else ())}
    for name, address in routes(records):
        if (name, address) in left_out:
            continue
        cache.clear()
        yield from _leaks_of(f"GET {name}", client.get(address))
        if (data := POSTS.get(name.removeprefix("screening:"))) is not None and name.startswith("screening:"):
            for headers in ({}, HTMX):
                yield from _leaks_of(f"POST {name}", client.post(address, data, headers=headers, follow=True))


def _leaks_of(name: str, response: Any) -> Iterator[str]:
    content = content_of(response)
    yield from (f"{name}: {text}" for text in PLANTED if text in content)
