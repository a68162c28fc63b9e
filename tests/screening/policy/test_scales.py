"""The scales of England and Scotland: grades from lesions, ICDR grades for statistics, outcomes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.vocabulary import ICDRGrade
from screening.policy import (
    EyeResult,
    GradingScale,
    MacularOedema,
    Maculopathy,
    Outcome,
    Retinopathy,
    decide_outcome,
    default_table,
)
from screening.policy.lesions import Lesion, Lesions
from screening.policy.scales import SCALES, icdr_of, maculopathy_grade, photocoagulation_grade, retinopathy_grade
from tests.screening.policy.test_lesions import ACUITIES, ALL_LESIONS, BUDGET

ENGLAND, SCOTLAND = GradingScale.ENGLAND, GradingScale.SCOTLAND
OTHER_SCALES = st.sampled_from([ENGLAND, SCOTLAND])


def clear_eye(scale: GradingScale) -> EyeResult:
    return EyeResult(grade=ICDRGrade.NONE, macular_oedema=MacularOedema.NONE, scale=scale, retinopathy=Retinopathy.R0)


@pytest.mark.parametrize(
    ("lesions", "england", "scotland"),
    [
        ({}, "R0", "R0"),
        ({Lesion.COTTON_WOOL_SPOTS: 1}, "R0", "R1"),
        ({Lesion.HARD_EXUDATES: 1}, "R0", "R1"),
        ({Lesion.MICROANEURYSMS: 1}, "R1", "R1"),
        ({Lesion.HAEMORRHAGES: 1, Lesion.COTTON_WOOL_SPOTS: 1}, "R1", "R1"),
        ({Lesion.BLOT_HAEMORRHAGES: 1}, "R2L", "R1"),
        ({Lesion.BLOT_HEMIFIELDS: 1}, "R1", "R2"),
        ({Lesion.BLOT_HEMIFIELDS: 2}, "R1", "R3"),
        ({Lesion.HAEMORRHAGE_QUADRANTS: 3}, "R2L", "R1"),
        ({Lesion.HAEMORRHAGE_QUADRANTS: 4}, "R2H", "R1"),
        ({Lesion.VENOUS_BEADING_QUADRANTS: 1}, "R2L", "R3"),
        ({Lesion.VENOUS_BEADING_QUADRANTS: 2}, "R2H", "R3"),
        ({Lesion.IRMA: 1}, "R2L", "R3"),
        ({Lesion.IRMA_QUADRANTS: 1}, "R2H", "R3"),
        ({Lesion.NEW_VESSELS_ELSEWHERE: 1}, "R3A", "R4"),
        ({Lesion.FIBROSIS: 1}, "R3A", "R4"),
        ({Lesion.FIBROSIS: 1, Lesion.TREATED_STABLE: 1}, "R3S", "R4"),
        ({Lesion.NEW_VESSELS_DISC: 1, Lesion.TREATED_STABLE: 1}, "R3A", "R4"),
    ],
)
def test_grades_follow_from_lesions(lesions: Lesions, england: str, scotland: str) -> None:
    assert (retinopathy_grade(ENGLAND, lesions), retinopathy_grade(SCOTLAND, lesions)) == (england, scotland)


@pytest.mark.parametrize(
    ("lesions", "logmar", "england", "scotland"),
    [
        ({}, None, "M0", "M0"),
        ({Lesion.HARD_EXUDATES: 2}, None, "M0", "M1"),
        ({Lesion.HARD_EXUDATES: 3}, None, "M1", "M2"),
        ({Lesion.MACULAR_RED_LESIONS: 1}, 0.18, "M0", "M0"),
        ({Lesion.MACULAR_RED_LESIONS: 1}, 0.30, "M1", "M0"),
        ({Lesion.MACULAR_RED_LESIONS: 1}, None, None, "M0"),
        ({Lesion.MACULAR_RED_LESIONS: 2}, None, None, "M2"),
    ],
)
def test_maculopathy_follows_from_lesions(
    lesions: Lesions, logmar: float | None, england: str | None, scotland: str
) -> None:
    found = maculopathy_grade(ENGLAND, lesions, logmar), maculopathy_grade(SCOTLAND, lesions, logmar)
    assert found == (england, scotland)


@pytest.mark.parametrize(
    ("lesions", "england"),
    [
        ({}, "P0"),
        ({Lesion.LASER_SCARS: 1}, "P1"),
        ({Lesion.TREATED_STABLE: 1}, "P0"),  # a treatment need not be laser
        ({Lesion.LASER_SCARS: 1, Lesion.NEW_VESSELS_DISC: 1}, "P1"),
    ],
)
def test_photocoagulation_is_a_grade_apart_in_england_alone(lesions: Lesions, england: str) -> None:
    assert (photocoagulation_grade(ENGLAND, lesions), photocoagulation_grade(SCOTLAND, lesions)) == (england, None)


@BUDGET
@given(ALL_LESIONS)
def test_laser_scars_change_neither_retinopathy_nor_maculopathy(lesions: dict[Lesion, int]) -> None:
    without: Lesions = {lesion: value for lesion, value in lesions.items() if lesion != Lesion.LASER_SCARS}
    scarred: Lesions = {**without, Lesion.LASER_SCARS: 1}
    assert retinopathy_grade(ENGLAND, scarred) == retinopathy_grade(ENGLAND, without)
    assert maculopathy_grade(ENGLAND, scarred, None) == maculopathy_grade(ENGLAND, without, None)


@pytest.mark.parametrize(
    ("grade", "lesions", "icdr"),
    [
        (Retinopathy.R1, {}, None),
        (Retinopathy.R1, {Lesion.MICROANEURYSMS: 1}, 1),
        (Retinopathy.R1, {Lesion.HAEMORRHAGES: 1}, 2),
        (Retinopathy.R1, {Lesion.NEW_VESSELS_DISC: 1}, 2),  # a contradiction, for which the reader gives the reason
        (Retinopathy.R0, {Lesion.COTTON_WOOL_SPOTS: 1}, 0),
        (Retinopathy.R2H, {}, 3),
        (Retinopathy.R3S, {}, 4),
    ],
)
def test_a_grade_of_england_can_be_several_of_icdr(grade: Retinopathy, lesions: Lesions, icdr: int | None) -> None:
    assert icdr_of(ENGLAND, grade, lesions) == icdr


@BUDGET
@given(OTHER_SCALES, ALL_LESIONS, ACUITIES)
def test_what_follows_from_lesions_always_has_an_icdr_grade_and_an_outcome(
    scale: GradingScale, lesions: dict[Lesion, int], logmar: float | None
) -> None:
    retinopathy, maculopathy = retinopathy_grade(scale, lesions), maculopathy_grade(scale, lesions, logmar)
    grade = icdr_of(scale, retinopathy, lesions)
    assert grade in SCALES[scale].icdr[retinopathy]
    is_suspected = maculopathy is SCALES[scale].maculopathy[-1]
    oedema = MacularOedema.SUSPECTED if is_suspected else MacularOedema.NONE
    found = EyeResult(grade=grade, macular_oedema=oedema, scale=scale, retinopathy=retinopathy, maculopathy=maculopathy)
    outcome = decide_outcome(found, clear_eye(scale), table=default_table(scale)).outcome
    if is_suspected or retinopathy not in {Retinopathy.R0, Retinopathy.R1, Retinopathy.R2}:
        assert outcome in {Outcome.REFER, Outcome.REFER_URGENT}
    else:
        assert outcome is Outcome.RESCREEN


@pytest.mark.parametrize(
    ("scale", "retinopathy", "maculopathy", "outcome", "months"),
    [
        (ENGLAND, "R1", "M0", Outcome.RESCREEN, 12),
        (ENGLAND, "R2L", "M0", Outcome.REFER, 6),
        (ENGLAND, "R3A", "M1", Outcome.REFER_URGENT, 3),
        (SCOTLAND, "R2", "M0", Outcome.RESCREEN, 6),
        (SCOTLAND, "R0", "M1", Outcome.RESCREEN, 6),
        (SCOTLAND, "R4", "M0", Outcome.REFER_URGENT, 3),
    ],
)
def test_the_outcome_follows_from_the_scale_of_the_site(
    scale: GradingScale, retinopathy: str, maculopathy: str, outcome: Outcome, months: int
) -> None:
    one = EyeResult(
        grade=SCALES[scale].icdr[Retinopathy(retinopathy)][0],
        macular_oedema=MacularOedema.SUSPECTED if maculopathy == SCALES[scale].maculopathy[-1] else MacularOedema.NONE,
        scale=scale,
        retinopathy=Retinopathy(retinopathy),
        maculopathy=Maculopathy(maculopathy),
    )
    decision = decide_outcome(one, clear_eye(scale), table=default_table(scale))
    assert (decision.outcome, decision.recall_months) == (outcome, months)


@pytest.mark.parametrize("scale", [ENGLAND, SCOTLAND])
def test_an_unknown_macula_is_no_negative_in_any_scale(scale: GradingScale) -> None:
    one = EyeResult(grade=ICDRGrade.NONE, scale=scale, retinopathy=Retinopathy.R0, maculopathy=None)
    assert decide_outcome(clear_eye(scale), one, table=default_table(scale)).outcome is Outcome.REPEAT_IMAGING
