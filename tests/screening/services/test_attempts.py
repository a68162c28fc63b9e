"""Attempts: ungradable photographs of one field of an eye, after three of which it is referred."""

from typing import Any

import pytest

from ml.vocabulary import ICDRGrade, Laterality
from screening.models import Exam, FundusImage, Site, User
from screening.policy import MacularOedema
from screening.selectors import count_attempts
from screening.services.reviews import sign_review
from screening.services.structured_findings import Finding
from tests.screening.factories import ExamFactory, FundusImageFactory, GradingFactory

Photograph = tuple[str, str]
CASES: list[tuple[str, list[Photograph], int]] = [
    ("three ungradable", [("macula", "ungradable")] * 3, 3),
    ("two ungradable, one gradable", [("macula", "ungradable")] * 2 + [("macula", "gradable")], 2),
    ("two of the macula, one of the disc", [("macula", "ungradable")] * 2 + [("disc", "ungradable")], 2),
    ("one failed, one waiting", [("macula", "failed"), ("macula", "waiting")], 0),
    ("withdrawn as another eye or patient", [("macula", "wrong_eye"), ("macula", "wrong_patient")], 0),
    ("withdrawn for poor quality", [("macula", "poor_quality")] * 2 + [("macula", "ungradable")], 3),
    ("withdrawn for another reason", [("macula", "other"), ("macula", "ungradable")], 1),
]
GRADINGS: dict[str, dict[str, Any]] = {
    "ungradable": {"is_ungradable": True},
    "gradable": {"is_done": True, "grade": 0},
    "failed": {"is_failed": True},
    "waiting": {},
}


def add(exam: Exam, photograph: Photograph) -> FundusImage:
    field, state = photograph
    if state in GRADINGS:
        image = FundusImageFactory(exam=exam, field=field)
        GradingFactory(image=image, **GRADINGS[state])
        return image
    image = FundusImageFactory(
        exam=exam, field=field, withdrawn_at=exam.created_at, withdrawn_code=state, withdrawn_reason="Lid"
    )
    is_wrong = state in {"wrong_eye", "wrong_patient"}  # also its quality says nothing about this eye
    GradingFactory(image=image, **({"is_ungradable": True} if is_wrong else {"is_done": True}))
    return image


@pytest.mark.parametrize(("photographs", "n_attempts"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_attempts_are_the_ungradable_photographs_of_one_field(
    photographs: list[Photograph], n_attempts: int, exam: Exam, django_assert_num_queries: Any
) -> None:
    for photograph in photographs:
        add(exam, photograph)
    with django_assert_num_queries(1):
        assert count_attempts(exam) == {Laterality.RIGHT: n_attempts, Laterality.LEFT: 0}


def test_the_newest_grading_of_a_photograph_decides(exam: Exam) -> None:
    image = add(exam, ("macula", "ungradable"))
    GradingFactory(image=image, is_done=True, model_version="newer")
    assert count_attempts(exam)[Laterality.RIGHT] == 0


@pytest.mark.parametrize(
    ("photographs", "outcome"),
    [
        ([("macula", "gradable")] * 3, "refer_slit_lamp"),  # the reviewer calls them ungradable
        ([("macula", "ungradable")] + [("macula", "wrong_eye"), ("macula", "wrong_patient")] * 2, "repeat_imaging"),
        ([("macula", "ungradable")] + [("macula", "poor_quality")] * 2, "refer_slit_lamp"),
        ([("macula", "ungradable")] * 2 + [("disc", "ungradable")] * 2, "repeat_imaging"),
    ],
)
def test_an_ungradable_eye_is_referred_after_three_attempts(
    photographs: list[Photograph], outcome: str, site: Site, reviewer: User
) -> None:
    exam = ExamFactory(patient__site=site, is_submitted=True)
    for photograph in photographs:
        add(exam, photograph)
    GradingFactory(image=FundusImageFactory(exam=exam, laterality="OS"), is_done=True)
    left = Finding(laterality=Laterality.LEFT, grade=ICDRGrade.NONE, macular_oedema=MacularOedema.NONE)
    right = Finding(laterality=Laterality.RIGHT, is_gradable=False)
    review = sign_review(exam=exam, findings={Laterality.RIGHT: right, Laterality.LEFT: left}, by=reviewer)
    assert review.outcome == outcome
