"""The page of a patient: the due date, signed grades over the years, each visit with its versions."""

import re

import pytest
from django.test import Client

from ml.vocabulary import Laterality
from screening.models import Exam, Review, Site, VisitFacts
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    PatientFactory,
    ReviewFactory,
    VisualAcuityFactory,
)
from tests.screening.views.pages import count_queries, page_text, url


def visit(patient: object, year: int, right: int, left: int, **values: object) -> Review:
    """A signed exam of this year, with the grades of both eyes."""
    exam = ExamFactory(patient=patient, is_submitted=True)
    Exam.objects.filter(pk=exam.pk).update(created_at=f"{year}-03-01T10:00:00Z")
    review: Review = ReviewFactory(exam=exam, **values)
    for eye, grade in zip(Laterality, (right, left), strict=True):
        EyeFindingFactory(review=review, laterality=eye, grade=grade)
    return review


def test_grades_of_both_eyes_are_in_a_chart_and_a_table(as_photographer: Client, site: Site) -> None:
    patient = PatientFactory(site=site)
    for year, right, left in [(2022, 0, 1), (2023, 1, 1), (2025, 3, 2)]:
        visit(patient, year, right, left)
    text = page_text(as_photographer, "patient-detail", patient.pk)
    assert text.count('<circle class="grades-point is-right" cx') == 4  # three visits and the key
    rows = re.findall(r'<th scope="row">(.*?)</th>\s*<td[^>]*>(.*?)</td>\s*<td[^>]*>(.*?)</td>', text)
    assert rows[:3] == [
        ("1 Mar 2025", "3 Severe", "2 Moderate"),
        ("1 Mar 2023", "1 Mild", "1 Mild"),
        ("1 Mar 2022", "0 None", "1 Mild"),
    ]


def test_the_page_has_no_result_of_the_model(as_reviewer: Client, site: Site) -> None:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    grading = GradingFactory(image=FundusImageFactory(exam=exam), is_done=True, grade=4)
    text = page_text(as_reviewer, "patient-detail", exam.patient_id)
    assert url("image-thumbnail", grading.image_id) in text
    assert not re.search("Proliferative|referable|%", text.partition("<main")[2].partition("</main>")[0])


def test_each_visit_has_its_newest_visual_acuity_and_its_facts(as_photographer: Client, site: Site) -> None:
    patient = PatientFactory(site=site)
    for year, entered in ((2024, "6/9"), (2025, "6/18")):
        exam = visit(patient, year, 0, 0).exam
        VisualAcuityFactory(exam=exam, entered="6/60")
        VisualAcuityFactory(exam=exam, entered=entered)
        VisualAcuityFactory(exam=exam, laterality="OS", entered="CF")
    VisitFacts.objects.create(exam=exam, consent="given", recorded_by=exam.opened_by)
    text = " ".join(page_text(as_photographer, "patient-detail", patient.pk).split())
    facts = re.findall(r"<dt>((?:Right|Left) eye: acuity|Consent)</dt> <dd> (\S+)", text)
    assert facts == [
        ("Right eye: acuity", "6/18"), ("Left eye: acuity", "CF"), ("Consent", "Given"),
        ("Right eye: acuity", "6/9"), ("Left eye: acuity", "CF"),
    ]  # fmt: skip
    rows = re.findall(r'<th scope="row">(\d.*?)</th>' + r"\s*<td[^>]*>([^<]*)</td>" * 4, text)
    assert [(day, right, left) for day, _right, _left, right, left in rows] == [
        ("1 Mar 2025", "6/18", "CF"),
        ("1 Mar 2024", "6/9", "CF"),
    ]
    assert "6/60" not in text


def test_each_version_of_a_review_is_kept_with_its_note(as_reviewer: Client, site: Site) -> None:
    patient = PatientFactory(site=site)
    first = visit(patient, 2024, 0, 0, note="The first note")
    ReviewFactory(exam=first.exam, amends=first, amend_reason="Looked again", note="The second note")
    text = page_text(as_reviewer, "patient-detail", patient.pk)
    assert "The second note" in text.partition("<details>")[0]
    assert "The first note" in text.partition("Earlier versions")[2]


@pytest.mark.parametrize("n_visits", [1, 6])
def test_the_number_of_queries_does_not_grow_with_the_visits(
    n_visits: int, as_photographer: Client, site: Site
) -> None:
    patient = PatientFactory(site=site)
    for year in range(2015, 2015 + n_visits):
        review = visit(patient, year, 1, 0)
        VisualAcuityFactory(exam=review.exam)
        FundusImageFactory(exam=review.exam)
    assert count_queries(as_photographer, "patient-detail", patient.pk) == 20
