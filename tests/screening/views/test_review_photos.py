"""The best photograph of an eye comes first."""

import pytest
from django.test import Client

from ml.vocabulary import QualityLevel
from screening.models import Exam, FundusImage, Site
from screening.selectors import ImageWithGrading
from screening.views.review_photos import best_first
from tests.screening.factories import (
    ExamFactory,
    EyeFindingFactory,
    FundusImageFactory,
    GradingFactory,
    PatientFactory,
    ReviewFactory,
)
from tests.screening.views.pages import page_text, url

Field = FundusImage.Field


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient=PatientFactory(site=site), is_submitted=True)


def photo(exam: Exam, quality: str, field: str = Field.MACULA, grade: int = 0) -> ImageWithGrading:
    image = FundusImageFactory(exam=exam, field=field)
    if quality == QualityLevel.UNGRADABLE:
        return ImageWithGrading(image, GradingFactory(image=image, is_ungradable=True))
    if not quality:
        return ImageWithGrading(image, None)
    return ImageWithGrading(image, GradingFactory(image=image, is_done=True, quality_level=quality, grade=grade))


def test_quality_decides_then_the_field_then_the_age(exam: Exam) -> None:
    ungradable, waiting, other_field, usable, second, first = (
        photo(exam, QualityLevel.UNGRADABLE),
        photo(exam, ""),
        photo(exam, QualityLevel.GOOD, Field.DISC),
        photo(exam, QualityLevel.USABLE),
        photo(exam, QualityLevel.GOOD, grade=4),
        photo(exam, QualityLevel.GOOD),
    )
    photos = [ungradable, waiting, other_field, usable, second, first]
    assert best_first(photos) == (second, first, other_field, usable, waiting, ungradable)


def test_the_grade_of_the_model_does_not_change_the_order(exam: Exam) -> None:
    photos = [photo(exam, QualityLevel.GOOD, grade=grade) for grade in (0, 4, 1)]
    assert best_first(photos) == tuple(photos)


def test_the_page_shows_the_best_photograph_and_what_was_signed_before(exam: Exam, as_reviewer: Client) -> None:
    photo(exam, QualityLevel.UNGRADABLE)
    best = photo(exam, QualityLevel.GOOD).image
    earlier = ExamFactory(patient=exam.patient, opened_by=exam.opened_by)
    Exam.objects.filter(pk=earlier.pk).update(created_at=exam.created_at.replace(year=exam.created_at.year - 1))
    FundusImageFactory(exam=earlier)
    EyeFindingFactory(review=ReviewFactory(exam=earlier), laterality="OD", grade=1)
    text = page_text(as_reviewer, "exam-review", exam.pk)
    shown = text[text.index("data-viewer-photo") :]
    assert url("image-screen", best.pk) in shown[: shown.index(">")]
    assert "Signed: Mild (1)" in text
    assert "Quality not assessed" in text
