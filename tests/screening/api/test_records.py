"""Serializers that read each row faster: the same values as those of Django REST framework."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.serializers import Serializer

from ml.vocabulary import Laterality
from screening.api.serializers.exams import ExamSerializer
from screening.api.serializers.gradings import GradingSerializer
from screening.api.serializers.images import ImageSerializer
from screening.api.serializers.reviews import FindingSerializer, ReviewSerializer
from screening.models import Exam, Site, User
from screening.selectors.exams import get_exam_record
from tests.screening.api.client import ApiClient
from tests.screening.factories import ExamFactory, EyeFindingFactory, GradingFactory, ReviewFactory


def signed_exam(site: Site) -> Exam:
    """With two photographs and their gradings, and a result of two eyes."""
    exam: Exam = ExamFactory(patient__site=site, is_submitted=True, status=Exam.Status.SIGNED)
    review = ReviewFactory(exam=exam)
    for eye in Laterality:
        GradingFactory(image__exam=exam, image__laterality=eye, is_done=True)
        EyeFindingFactory(review=review, laterality=eye)
    return exam


@pytest.mark.parametrize(
    ("serializer", "name"),
    [
        (ExamSerializer(), "exam"),
        (ImageSerializer(), "image"),
        (GradingSerializer(), "grading"),
        (ReviewSerializer(), "review"),
        (FindingSerializer(), "finding"),
    ],
)
def test_a_record_has_the_values_of_the_framework(
    serializer: Any, name: str, site: Site, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam: Any = get_exam_record(user=reviewer, exam_id=signed_exam(site).pk)
    image, review = exam.images_in_use[0], exam.current_reviews[0]
    rows = {"exam": exam, "image": image, "grading": image.gradings.all()[0], "review": review}
    row = {**rows, "finding": review.findings.all()[0]}[name]
    found = serializer.to_representation(row)
    monkeypatch.setattr(
        "screening.api.serializers.records.RecordSerializer.to_representation", Serializer.to_representation
    )
    assert list(found.items()) == list(serializer.to_representation(row).items())


def test_a_list_of_exams_takes_the_same_statements_for_any_number(client: ApiClient, site: Site) -> None:
    found = set()
    for _ in range(2):
        for _ in range(3):
            signed_exam(site)
        client.get("exams")  # stores the use
        with CaptureQueriesContext(connection) as queries:
            client.get("exams", status="signed")
        found.add(len(queries))
    assert len(found) == 1
    assert found.pop() <= 13
