"""Marks on photographs: kept with first readings, reviews and amendments; photographs of other exams are refused."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from ml.vocabulary import ICDRGrade, Laterality
from screening.models import Exam, FundusImage, LesionMark, Review, Site, User
from screening.policy import MacularOedema
from screening.policy.marks import Mark
from screening.services.reviews import ReviewError, find_sent_before, record_first_readings, sign_review
from screening.services.structured_findings import Finding
from tests.screening.factories import ExamFactory, FundusImageFactory
from tests.screening.marks import mark_row, marks_of

RIGHT, LEFT = Laterality.RIGHT, Laterality.LEFT
SQUARE = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2], [0.1, 0.2]]
Sign = Callable[..., Review]


@pytest.fixture
def exam(site: Site) -> Exam:
    exam: Exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye in Laterality:
        FundusImageFactory(exam=exam, laterality=eye)
    return exam


@pytest.fixture
def image(exam: Exam) -> FundusImage:
    return exam.images.get(laterality=RIGHT)


def findings(marks: tuple[Mark, ...] = (), left: tuple[Mark, ...] = ()) -> dict[Laterality, Finding]:
    """Both eyes healthy, with these marks."""
    values: dict[str, Any] = {"grade": ICDRGrade.NONE, "macular_oedema": MacularOedema.NONE}
    return {
        RIGHT: Finding(laterality=RIGHT, marks=marks, **values),
        LEFT: Finding(laterality=LEFT, marks=left, **values),
    }


def stored(**of: Any) -> tuple[Mark, ...]:
    return tuple(one.value for one in LesionMark.objects.filter(**of))


def test_each_shape_is_stored_with_the_signed_finding_in_its_order(
    exam: Exam, image: FundusImage, reviewer: User
) -> None:
    marks = marks_of(
        mark_row(image),
        mark_row(image, shape="circle", radius=0.02, kind="hard_exudates"),
        mark_row(image, shape="outline", points=SQUARE),
    )
    review = sign_review(exam=exam, findings=findings(marks), by=reviewer)
    assert stored(finding__review=review, finding__laterality=RIGHT) == marks
    assert set(LesionMark.objects.values_list("author", flat=True)) == {reviewer.pk}
    assert review.findings.get(laterality=LEFT).marks.count() == 0


def test_every_version_keeps_its_own_marks(exam: Exam, image: FundusImage, reviewer: User) -> None:
    Site.objects.update(reading_mode=Site.ReadingMode.BLIND_FIRST)
    exam.refresh_from_db()
    first, second, third = (marks_of(mark_row(image, points=[[x, 0.5]])) for x in (0.1, 0.2, 0.3))
    readings = record_first_readings(exam=exam, findings=findings(first), by=reviewer)
    review = sign_review(exam=exam, findings=findings(second), by=reviewer)
    amendment = sign_review(exam=exam, findings=findings(third), amends=review, amend_reason="One more", by=reviewer)
    assert stored(first_reading=readings[0]) == first
    assert stored(finding__review=review) == second
    assert stored(finding__review=amendment) == third
    assert (amendment.outcome, amendment.recall_on) == (review.outcome, review.recall_on)


def test_a_form_with_other_marks_is_no_form_sent_twice(exam: Exam, image: FundusImage, reviewer: User) -> None:
    marks = marks_of(mark_row(image))
    review = sign_review(exam=exam, findings=findings(marks), by=reviewer)
    sent: dict[str, Any] = {"exam": exam, "note": "", "amends": None, "amend_reason": "", "by": reviewer}
    assert find_sent_before(findings=findings(marks), **sent) == review
    assert find_sent_before(findings=findings(), **sent) is None


def other_eye(exam: Exam) -> FundusImage:
    return exam.images.get(laterality=LEFT)


def other_exam(exam: Exam) -> FundusImage:
    return FundusImageFactory(exam=ExamFactory(patient=exam.patient), laterality=RIGHT)


def withdrawn(exam: Exam) -> FundusImage:
    return FundusImageFactory(
        exam=exam, laterality=RIGHT, withdrawn_at=timezone.now(), withdrawn_code=FundusImage.WithdrawnCode.POOR_QUALITY
    )


@pytest.mark.parametrize("photo_of", [other_eye, other_exam, withdrawn])
def test_a_photograph_that_is_not_read_has_no_marks(
    exam: Exam, image: FundusImage, reviewer: User, photo_of: Callable[[Exam], FundusImage]
) -> None:
    marks = marks_of(mark_row(image), mark_row(photo_of(exam)))
    with pytest.raises(ReviewError, match="not of this eye and exam") as refused:
        sign_review(exam=exam, findings=findings(marks), by=reviewer)
    assert refused.value.laterality is RIGHT
    assert not Review.objects.exists()
    assert not LesionMark.objects.exists()
