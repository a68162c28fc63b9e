"""Lesions, grading scales and visual acuity in readings and reviews."""

from collections.abc import Callable
from typing import Any

import pytest

from ml.vocabulary import ICDRGrade, Laterality
from screening.models import Exam, FirstReading, Review, Site, User, VisualAcuity
from screening.policy import GradingScale, MacularOedema, Maculopathy, Retinopathy
from screening.policy.lesions import Lesion
from screening.services.reviews import ReviewError, record_first_reading, sign_review
from screening.services.structured_findings import Finding, StructuredFindings
from tests.screening.factories import ExamFactory, FundusImageFactory

RIGHT, LEFT = Laterality.RIGHT, Laterality.LEFT
NONE = MacularOedema.NONE
Sign = Callable[..., Review]


@pytest.fixture
def exam(site: Site) -> Exam:
    exam: Exam = ExamFactory(patient__site=site, is_submitted=True)
    for eye in Laterality:
        FundusImageFactory(exam=exam, laterality=eye)
    return exam


@pytest.fixture
def sign(exam: Exam, reviewer: User) -> Sign:
    """Signs ``found`` for the right eye and a healthy left eye, in the scale of the site."""

    def call(grade: int | None, oedema: MacularOedema = NONE, acuity: str = "", **found: Any) -> Review:
        exam.refresh_from_db()
        scale = exam.site.scale
        healthy = StructuredFindings()
        if scale != GradingScale.ICDR:
            healthy = StructuredFindings(retinopathy=Retinopathy.R0, maculopathy=Maculopathy.M0)
        right = Finding(
            laterality=RIGHT,
            is_gradable=grade is not None or "retinopathy" in found,
            grade=None if grade is None else ICDRGrade(grade),
            macular_oedema=oedema,
            acuity=acuity,
            structured=StructuredFindings(**found),
        )
        left_grade = ICDRGrade.NONE if scale == GradingScale.ICDR else None
        left = Finding(laterality=LEFT, grade=left_grade, macular_oedema=NONE, structured=healthy)
        return sign_review(exam=exam, findings={RIGHT: right, LEFT: left}, by=reviewer)

    return call


def use_scale(scale: GradingScale) -> None:
    Site.objects.update(scale=scale)


def test_lesions_are_signed_with_the_grade(sign: Sign) -> None:
    review = sign(3, lesions={Lesion.IRMA_QUADRANTS: 1, Lesion.AMD: 1}, other_disease=" ")
    row = review.findings.get(laterality=RIGHT)
    assert (row.grade, row.lesions, row.other_disease) == (3, {"irma_quadrants": 1, "amd": 1}, "")
    assert review.scale == "icdr"
    assert review.findings.get(laterality=LEFT).lesions == {}


def test_a_grade_that_contradicts_the_lesions_needs_a_reason(sign: Sign) -> None:
    lesions = {Lesion.NEW_VESSELS_DISC: 1}
    with pytest.raises(ReviewError, match="follows from the lesions") as error:
        sign(2, lesions=lesions)
    assert error.value.laterality is RIGHT
    review = sign(2, lesions=lesions, contradiction_reason="Collateral vessels")
    assert review.findings.get(laterality=RIGHT).contradiction_reason == "Collateral vessels"


def test_a_reason_without_a_contradiction_is_not_stored(sign: Sign) -> None:
    review = sign(4, lesions={Lesion.NEW_VESSELS_DISC: 1}, contradiction_reason="Collateral vessels")
    assert review.findings.get(laterality=RIGHT).contradiction_reason == ""


def test_exudates_near_the_fovea_contradict_a_healthy_macula(sign: Sign) -> None:
    lesions = {Lesion.HARD_EXUDATES: 3}
    with pytest.raises(ReviewError, match="follows from the lesions"):
        sign(2, lesions=lesions)
    assert sign(2, MacularOedema.SUSPECTED, lesions=lesions).outcome == "refer"


def test_a_red_lesion_near_the_fovea_needs_the_acuity_for_a_negative(sign: Sign) -> None:
    lesions = {Lesion.MACULAR_RED_LESIONS: 1}
    with pytest.raises(ReviewError, match="Enter the visual acuity"):
        sign(1, lesions=lesions)
    with pytest.raises(ReviewError, match="follows from the lesions"):
        sign(1, lesions=lesions, acuity="6/12")
    assert not VisualAcuity.objects.exists()
    assert sign(1, lesions=lesions, acuity="6/9").outcome == "rescreen"
    assert VisualAcuity.objects.get().entered == "6/9"


def test_an_unknown_macula_needs_no_acuity(sign: Sign) -> None:
    assert sign(1, MacularOedema.UNKNOWN, lesions={Lesion.MACULAR_RED_LESIONS: 1}).outcome == "repeat_imaging"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"grade": 0, "lesions": {Lesion.OTHER_DISEASE: 1}}, "which other disease"),
        ({"grade": 0, "ungradable_reason": "cataract"}, "no reason for being ungradable"),
        ({"grade": 0, "other_disease": "x" * 201}, "at most 200"),
        ({"grade": 0, "acuity": "well"}, "6/12, 20/40"),
        ({"grade": 0, "retinopathy": Retinopathy.R0}, "ICDR scale now"),
    ],
)
def test_inconsistent_findings_are_refused(sign: Sign, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ReviewError, match=message):
        sign(**values)
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    ("found", "outcome", "grade"),
    [
        ({"retinopathy": Retinopathy.R1, "lesions": {Lesion.HAEMORRHAGES: 1}}, "rescreen", 2),
        ({"retinopathy": Retinopathy.R1, "lesions": {Lesion.MICROANEURYSMS: 1}}, "rescreen", 1),
        ({"retinopathy": Retinopathy.R2L}, "refer", 2),
        ({"retinopathy": Retinopathy.R3A}, "refer_urgent", 4),
    ],
)
def test_england_decides_by_its_own_grades(sign: Sign, found: dict[str, Any], outcome: str, grade: int) -> None:
    use_scale(GradingScale.ENGLAND)
    review = sign(None, **found, maculopathy=Maculopathy.M0)
    row = review.findings.get(laterality=RIGHT)
    assert (review.scale, review.outcome, row.grade) == ("england", outcome, grade)
    assert (row.retinopathy, row.maculopathy) == (found["retinopathy"], "M0")


@pytest.mark.parametrize(("lesions", "grade"), [({}, "P0"), ({Lesion.LASER_SCARS: 1}, "P1")])
def test_photocoagulation_is_signed_apart_in_england(sign: Sign, lesions: dict[Lesion, int], grade: str) -> None:
    use_scale(GradingScale.ENGLAND)
    review = sign(None, retinopathy=Retinopathy.R0, maculopathy=Maculopathy.M0, lesions=lesions)
    assert review.findings.get(laterality=RIGHT).grades_in_scale == f"R0 M0 {grade}"
    assert review.outcome == "rescreen"


@pytest.mark.parametrize(
    ("scale", "values"),
    [
        (GradingScale.ICDR, {"grade": 0}),
        (GradingScale.SCOTLAND, {"grade": None, "retinopathy": Retinopathy.R0, "maculopathy": Maculopathy.M0}),
        (GradingScale.ENGLAND, {"grade": None}),  # ungradable
    ],
)
def test_there_is_no_grade_of_photocoagulation(sign: Sign, scale: GradingScale, values: dict[str, Any]) -> None:
    use_scale(scale)
    row = sign(**values, lesions={Lesion.LASER_SCARS: 1}).findings.get(laterality=RIGHT)
    assert (row.photocoagulation, row.lesions) == ("", {"laser_scars": 1})


def test_a_grade_that_can_be_two_of_icdr_needs_its_lesions(sign: Sign) -> None:
    use_scale(GradingScale.ENGLAND)
    with pytest.raises(ReviewError, match="Tick the lesions"):
        sign(None, retinopathy=Retinopathy.R1, maculopathy=Maculopathy.M0)


def test_treated_retinopathy_is_no_r0_in_england(sign: Sign) -> None:
    use_scale(GradingScale.ENGLAND)
    lesions = {Lesion.TREATED_STABLE: 1}
    with pytest.raises(ReviewError, match="follows from the lesions"):
        sign(None, retinopathy=Retinopathy.R0, maculopathy=Maculopathy.M0, lesions=lesions)
    assert sign(None, retinopathy=Retinopathy.R3S, maculopathy=Maculopathy.M0, lesions=lesions).outcome == "refer"


@pytest.mark.parametrize("found", [{}, {"retinopathy": Retinopathy.R4}, {"retinopathy": Retinopathy.R0}])
def test_a_grade_of_another_scale_is_refused(sign: Sign, found: dict[str, Any]) -> None:
    use_scale(GradingScale.ENGLAND)
    with pytest.raises(ReviewError, match="scale of this site"):
        sign(0, **found)


def test_an_amendment_after_a_change_of_the_scale_keeps_the_first_review(
    sign: Sign, exam: Exam, reviewer: User
) -> None:
    first = sign(2)
    use_scale(GradingScale.ENGLAND)
    exam = Exam.objects.get(pk=exam.pk)
    healthy = StructuredFindings(retinopathy=Retinopathy.R0, maculopathy=Maculopathy.M0)
    findings = {eye: Finding(laterality=eye, macular_oedema=NONE, structured=healthy) for eye in Laterality}
    amended = sign_review(exam=exam, findings=findings, amends=first, amend_reason="Read again", by=reviewer)
    assert (first.scale, amended.scale, amended.outcome) == ("icdr", "england", "rescreen")


def test_a_first_reading_keeps_lesions_and_acuity(exam: Exam, reviewer: User) -> None:
    found = StructuredFindings(lesions={Lesion.COTTON_WOOL_SPOTS: 1})
    finding = Finding(laterality=RIGHT, grade=ICDRGrade.MODERATE, macular_oedema=NONE, acuity="6/9", structured=found)
    record_first_reading(exam=exam, finding=finding, by=reviewer)
    assert VisualAcuity.objects.get().entered == "6/9"
    assert FirstReading.objects.get().lesions == {"cotton_wool_spots": 1}
