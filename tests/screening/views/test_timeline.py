"""The page of a patient: the due date, signed grades over the years, each visit with its versions."""

import re

import pytest
from django.test import Client

from ml.vocabulary import Laterality
from screening.models import Exam, Review, Site
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    PatientFactory,
    ReviewFactory,
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
    rows = re.findall(r'<th scope="row">(.*?)</th>\s*<td>(.*?)</td>\s*<td>(.*?)</td>', text)
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
        FundusImageFactory(exam=review.exam)
    assert count_queries(as_photographer, "patient-detail", patient.pk) == 17
