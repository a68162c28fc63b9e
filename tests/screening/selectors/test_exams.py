"""An exam with its eyes, in a constant number of queries, and when the model's grade is revealed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import Http404

from ml.vocabulary import Laterality
from screening.models import Exam, Site, User
from screening.selectors import get_exam, get_grading, get_image
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    ReviewFactory,
)
from tests.screening.readings import read_eye


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient__site=site, is_submitted=True)


def test_each_eye_has_its_photographs_with_the_newest_grading(exam: Exam, photographer: User) -> None:
    image = FundusImageFactory(exam=exam, laterality="OS")
    GradingFactory(image=image, is_failed=True, model_version="old")
    newest = GradingFactory(image=image, is_done=True, grade=1)
    FundusImageFactory(exam=exam, withdrawn_at=exam.created_at, withdrawn_code="poor_quality")
    detail = get_exam(user=photographer, exam_id=exam.pk)
    assert [eye.laterality for eye in detail.eyes] == [Laterality.RIGHT, Laterality.LEFT]
    assert (detail.right.images, detail.right.decisive_image) == ((), None)
    assert [(row.image, row.grading) for row in detail.left.images] == [(image, newest)]


def test_the_gradable_photograph_with_the_largest_probability_is_decisive(exam: Exam, photographer: User) -> None:
    worst = GradingFactory(image__exam=exam, is_done=True, grade=3)
    GradingFactory(image__exam=exam, is_done=True, grade=0)
    GradingFactory(image__exam=exam, is_ungradable=True)
    decisive = get_exam(user=photographer, exam_id=exam.pk).right.decisive_image
    assert decisive is not None
    assert decisive.grading == worst


def test_an_exam_is_pending_while_a_grading_waits(exam: Exam, photographer: User) -> None:
    grading = GradingFactory(image__exam=exam)
    assert get_exam(user=photographer, exam_id=exam.pk).is_pending
    GradingFactory(image=grading.image, is_done=True, model_version="newer")
    assert not get_exam(user=photographer, exam_id=exam.pk).is_pending


@pytest.mark.parametrize("n_images", [1, 5])
def test_an_exam_takes_the_same_queries_for_any_number_of_photographs(
    exam: Exam, photographer: User, n_images: int, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(n_images):
        GradingFactory(image__exam=exam, is_done=True)
    EyeFindingFactory(review=ReviewFactory(exam=exam))
    with django_assert_max_num_queries(8):
        detail = get_exam(user=photographer, exam_id=exam.pk)
        assert all((detail.exam.patient.mrn, detail.exam.site.name, detail.exam.opened_by.username))
        assert [row.grading.grade for row in detail.right.images if row.grading is not None] == [2] * n_images
        assert detail.review is not None
        assert detail.review.reviewer.username
        assert [finding.grade for finding in detail.review.findings.all()] == [0]
        assert detail.is_model_revealed


def test_rows_of_another_site_are_not_found(exam: Exam, outsider: User) -> None:
    grading = GradingFactory(image__exam=exam)
    with pytest.raises(Http404):
        get_exam(user=outsider, exam_id=exam.pk)
    with pytest.raises(Http404):
        get_image(user=outsider, image_id=grading.image.pk)
    with pytest.raises(Http404):
        get_grading(user=outsider, grading_id=grading.pk)


def test_a_blind_first_reviewer_sees_the_models_grade_after_reading_each_eye(
    site: Site, exam: Exam, reviewer: User, photographer: User
) -> None:
    def is_revealed(user: User) -> bool:
        return get_exam(user=user, exam_id=exam.pk).is_model_revealed

    assert is_revealed(reviewer), "side by side"
    for eye in Laterality:
        FundusImageFactory(exam=exam, laterality=eye)
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    assert not is_revealed(photographer)
    Site.objects.update(photographers_see_grades=True)
    assert is_revealed(photographer)
    for eye in Laterality:
        assert not is_revealed(reviewer)
        read_eye(exam=exam, laterality=eye, grade=0, by=reviewer)
    assert is_revealed(reviewer)
