"""Ten made-up patients with signed exams, one for each kind of report."""

import datetime
import os
import uuid
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import Any
from unittest.mock import patch

from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image

from ml.synthetic.fundus import draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality
from screening.models import Correction, Document, Exam, FirstReading, Letterhead, Patient, Review, Site
from screening.policy import GradingScale, MacularOedema, Outcome, Urgency
from screening.policy.lesions import MAX_VALUES, Lesion
from tests.builders import photo_bytes
from tests.screening.factories import (
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    PatientFactory,
    ReviewFactory,
    UserFactory,
    VisualAcuityFactory,
)

SIGNED_AT = datetime.datetime(2026, 11, 20, 14, 5, tzinfo=datetime.UTC)
LONG = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaftschaferswesse"
REFER = {"outcome": Outcome.REFER, "urgency": Urgency.SOON, "outcome_rules": ["right_grade_2"]}
AT_ONCE = {
    "outcome": Outcome.REFER_URGENT,
    "urgency": Urgency.IMMEDIATE,
    "outcome_rules": ["right_grade_4", "left_oedema_centre"],
}
NEGATIVE = {
    "outcome_rules": ["right_grade_0+oedema_none", "left_grade_0+oedema_none"],
    "recall_on": datetime.date(2027, 11, 20),
}


@lru_cache(maxsize=8)
def photograph(grade: int, eye: str) -> bytes:
    """A photograph that is made fast; if the reports are looked at (REPORTS_DIR), a synthetic retina."""
    if not os.environ.get("REPORTS_DIR"):
        return photo_bytes()
    image = draw_fundus(drawing_for_grade(ICDRGrade(grade), Laterality(eye), seed=7))
    image.thumbnail((900, 900))
    out = BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def signed(site: Site, *, right: dict[str, Any] | None, left: dict[str, Any] | None, **values: Any) -> Review:
    """A signed exam with a photograph, a grading and an acuity of each eye; None: the eye is absent."""
    names = {name: values.pop(name) for name in ("given_name", "family_name", "mrn") if name in values}
    patient = PatientFactory(site=site, **names)
    exam = Exam.objects.create(
        site=site,
        patient=patient,
        opened_by=UserFactory(),
        status=Exam.Status.SIGNED,
        submitted_at=SIGNED_AT,
        due_at=SIGNED_AT,
        left_eye_absent_reason="" if left else "Prosthesis since 1998",
    )
    reviewer = values.pop("reviewer", None) or UserFactory(first_name="Rosalind", last_name="Reader")
    review = ReviewFactory(exam=exam, reviewer=reviewer, signed_at=SIGNED_AT, scale=site.scale, **values)
    for eye, found in (("OD", right), ("OS", left)):
        if found is None:
            EyeFindingFactory(review=review, laterality=eye, is_absent=True, is_gradable=False, grade=None)
            continue
        add_eye(review, eye, found)
    Exam.objects.filter(pk=exam.pk).update(created_at=SIGNED_AT - datetime.timedelta(hours=5))
    return review


def add_eye(review: Review, eye: str, found: dict[str, Any]) -> None:
    """The finding of an eye with its photograph, grading, first reading and acuity, all before the signature."""
    grade = found.get("grade")
    before = SIGNED_AT - datetime.timedelta(hours=1)
    content = ContentFile(photograph(grade or 0, eye), name="photo.jpg")
    day = datetime.date(2026, 11, 20)
    image = FundusImageFactory(
        exam=review.exam, laterality=eye, file=content, captured_on=day, captured_on_source="client"
    )
    type(image).objects.filter(pk=image.pk).update(created_at=before)
    GradingFactory(image=image, is_done=True, grade=grade or 0, finished_at=before)
    EyeFindingFactory(review=review, laterality=eye, is_gradable=grade is not None, **{"grade": None, **found})
    is_gradable = grade is not None
    with patch("django.utils.timezone.now", lambda: before):
        FirstReading.objects.create(
            exam=review.exam, reviewer=review.reviewer, laterality=eye, is_gradable=is_gradable, grade=grade
        )
        VisualAcuityFactory(exam=review.exam, laterality=eye)


def all_lesions() -> dict[str, int]:
    return {lesion.value: MAX_VALUES[lesion] for lesion in Lesion}


def negative(site: Site) -> Review:
    return signed(site, right={"grade": 0}, left={"grade": 0}, **NEGATIVE)


def arabic(site: Site) -> Review:
    right = {"grade": 2, "lesions": {"haemorrhages": 1, "microaneurysms": 1}, "other_disease": "Cataract"}
    left = {"grade": 1, "macular_oedema": MacularOedema.UNKNOWN}
    return signed(site, family_name="العلي", given_name="محمد", right=right, left=left, **REFER)


def devanagari(site: Site) -> Review:
    site.scale = GradingScale.ENGLAND
    right = {"grade": 3, "retinopathy": "R2H", "maculopathy": "M1", "photocoagulation": "P1"}
    left = {"grade": 1, "retinopathy": "R1", "maculopathy": "M0", "photocoagulation": "P0"}
    rules = REFER | {"outcome_rules": ["right_scale_R2H"]}
    return signed(site, family_name="शर्मा", given_name="सुनीता", right=right, left=left, **rules)


def chinese(site: Site) -> Review:
    left = {"grade": 3, "macular_oedema": MacularOedema.CENTRE}
    return signed(site, family_name="王", given_name="小明", right={"grade": 4}, left=left, **AT_ONCE)


def longest(site: Site) -> Review:
    """Everything as long as the columns allow."""
    eye = {
        "grade": 4,
        "lesions": all_lesions(),
        "other_disease": ("Epiretinal membrane with distortion of the fovea; " * 5)[:200],
        "contradiction_reason": ("The haemorrhages are those of a vein occlusion. " * 7)[:300],
    }
    names = {"family_name": LONG[:80], "given_name": LONG[::-1][:80], "mrn": "M" * 40}
    note = ("The patient was told the result and asked to come at once. " * 40)[:2000]
    return signed(site, right=eye, left=eye, note=note, **names, **AT_ONCE)


def absent_eye(site: Site) -> Review:
    values = NEGATIVE | {"outcome_rules": ["right_grade_1"]}
    return signed(site, right={"grade": 1}, left=None, **values)


def ungradable(site: Site) -> Review:
    blurred = {"ungradable_reason": "cataract"}
    rules = {"outcome": Outcome.REFER_SLIT_LAMP, "outcome_rules": ["right_ungradable"]}
    return signed(site, right=blurred, left={"grade": 0}, **rules)


def amended(site: Site) -> Review:
    """A result that was replaced."""
    first = negative(site)
    add_amendment(first)
    return first


def amendment(site: Site) -> Review:
    """The result that replaced another one."""
    return add_amendment(negative(site))


def add_amendment(first: Review) -> Review:
    newer = ReviewFactory(
        exam=first.exam,
        reviewer=UserFactory(first_name="Second", last_name="Reader"),
        signed_at=SIGNED_AT + datetime.timedelta(days=1),
        amends=first,
        amend_reason="A haemorrhage was overlooked.",
        **REFER,
    )
    for eye, grade in (("OD", 2), ("OS", 0)):
        EyeFindingFactory(review=newer, laterality=eye, grade=grade)
    return newer


def in_error(site: Site) -> Review:
    review = negative(site)
    mark_in_error(review)
    return review


def mark_in_error(review: Review) -> None:
    Exam.objects.filter(pk=review.exam_id).update(reading_round=1, status=Exam.Status.ENTERED_IN_ERROR)
    Correction.objects.create(
        site=review.exam.site,
        kind=Correction.Kind.REVIEW_IN_ERROR,
        exam=review.exam,
        review=review,
        reason="Photographs of the wrong visit",
        made_by=review.reviewer,
    )


GOLDEN: dict[str, Callable[[Site], Review]] = {
    make.__name__: make
    for make in (
        negative,
        arabic,
        devanagari,
        chinese,
        longest,
        absent_eye,
        ungradable,
        amended,
        amendment,
        in_error,
    )
}
WITH_HEATMAPS = {"arabic", "chinese", "longest"}


def letterhead(site: Site, **values: str) -> Letterhead:
    """One as large as it may be."""
    out = BytesIO()
    Image.new("RGB", (1000, 400), (11, 95, 134)).save(out, "PNG")
    address = "\n".join(f"{n} Harbour Street, building of the department of ophthalmology, floor {n}" for n in range(6))
    name = "Harbour Clinic, Department of Ophthalmology and Diabetic Eye Screening"
    return Letterhead.objects.create(
        site=site, name=name, address=address, logo=out.getvalue(), created_by=UserFactory(), **values
    )


def addressed(review: Review, **values: Any) -> Review:
    """The review, with a letterhead, and addresses of the patient, the doctor and the hospital."""
    letterhead(review.exam.site, hospital_address="Eye Hospital\n1 Quay Road\nHarbour Town")
    Patient.objects.filter(pk=review.exam.patient_id).update(
        postal_address="7 Mill Lane\nFlat 2\nHarbour Town HT1 2AB",
        doctor_address="Dr Ruth Doctor\n9 High Street\nHarbour Town",
        **values,
    )
    return Review.objects.get(pk=review.pk)


def requested(review: Review, *, has_heatmaps: bool = False, language: str = "en", **values: Any) -> Document:
    """A queued report of a review, as it is requested."""
    from screening.reports.clinical import report_of

    review.refresh_from_db()
    return Document.objects.create(
        kind=Document.Kind.CLINICAL_REPORT,
        site=review.exam.site,
        patient=review.exam.patient,
        exam=review.exam,
        review=review,
        language=language,
        has_heatmaps=has_heatmaps,
        data_sha256=report_of(review.pk, has_heatmaps=has_heatmaps).data_sha256(),
        requested_by=review.reviewer,
        queued_at=timezone.now(),
        **{"id": uuid.UUID(int=7), **values},
    )
