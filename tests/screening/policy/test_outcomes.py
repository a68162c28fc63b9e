"""Outcomes of two eyes, row by row as in the table of the ADA."""

import datetime
from typing import Any

import pytest

from ml.vocabulary import ICDRGrade
from screening import policy
from screening.policy import (
    Decision,
    EyeResult,
    GradingScale,
    MacularOedema,
    Outcome,
    Urgency,
    WorklistRank,
    add_months,
)

ABSENT = EyeResult(is_absent=True, is_gradable=False)
CLEAR = EyeResult(grade=ICDRGrade.NONE, macular_oedema=MacularOedema.NONE)


def eye(grade: int, oedema: MacularOedema = MacularOedema.NONE) -> EyeResult:
    return EyeResult(grade=ICDRGrade(grade), macular_oedema=oedema)


def decide_outcome(right: EyeResult, left: EyeResult) -> Decision:
    return policy.decide_outcome(right, left, table=policy.default_table(GradingScale.ICDR))


def ungradable(**changes: Any) -> EyeResult:
    return EyeResult(is_gradable=False, **changes)


RESCREEN, REPEAT, SLIT_LAMP = Outcome.RESCREEN, Outcome.REPEAT_IMAGING, Outcome.REFER_SLIT_LAMP
REFER, URGENT = Outcome.REFER, Outcome.REFER_URGENT
ROUTINE, SOON, IMMEDIATE = Urgency.ROUTINE, Urgency.SOON, Urgency.IMMEDIATE
NOT_CENTRE, CENTRE, UNKNOWN = MacularOedema.NOT_CENTRE, MacularOedema.CENTRE, MacularOedema.UNKNOWN

TABLE: list[tuple[EyeResult, EyeResult, Outcome, Urgency, int | None]] = [
    (CLEAR, CLEAR, RESCREEN, ROUTINE, 12),
    (eye(1), CLEAR, RESCREEN, ROUTINE, 12),
    (eye(2), CLEAR, REFER, SOON, 6),
    (eye(3), CLEAR, URGENT, IMMEDIATE, 3),
    (eye(4), CLEAR, URGENT, IMMEDIATE, 3),
    (eye(2), eye(4), URGENT, IMMEDIATE, 3),
    (eye(0, NOT_CENTRE), CLEAR, REFER, SOON, 6),
    (eye(0, MacularOedema.SUSPECTED), CLEAR, REFER, SOON, 6),
    (eye(1, CENTRE), CLEAR, URGENT, IMMEDIATE, 1),
    (eye(4, CENTRE), CLEAR, URGENT, IMMEDIATE, 1),
    (eye(2, NOT_CENTRE), CLEAR, REFER, SOON, 6),
    (eye(2, UNKNOWN), CLEAR, REFER, SOON, 6),
    (eye(0, UNKNOWN), CLEAR, REPEAT, ROUTINE, 0),
    (eye(1, UNKNOWN), CLEAR, REPEAT, ROUTINE, 0),
    (ungradable(), CLEAR, REPEAT, ROUTINE, 0),
    (ungradable(), ungradable(), REPEAT, ROUTINE, 0),
    (ungradable(n_attempts=2), CLEAR, REPEAT, ROUTINE, 0),
    (ungradable(n_attempts=3), CLEAR, SLIT_LAMP, SOON, None),
    (ungradable(n_visits=2), CLEAR, SLIT_LAMP, SOON, None),
    (ungradable(n_attempts=3), ungradable(), SLIT_LAMP, SOON, None),
    (ungradable(), eye(2), REFER, SOON, 6),
    (ungradable(), eye(3), URGENT, IMMEDIATE, 3),
    (ungradable(n_attempts=3), eye(4), URGENT, IMMEDIATE, 3),
    (ABSENT, CLEAR, RESCREEN, ROUTINE, 12),
    (ABSENT, eye(3), URGENT, IMMEDIATE, 3),
    (ABSENT, ungradable(), REPEAT, ROUTINE, 0),
]


@pytest.mark.parametrize(("one", "other", "outcome", "urgency", "months"), TABLE)
def test_the_worse_eye_decides_on_either_side(
    one: EyeResult, other: EyeResult, outcome: Outcome, urgency: Urgency, months: int | None
) -> None:
    for right, left in ((one, other), (other, one)):
        decision = decide_outcome(right, left)
        assert (decision.outcome, decision.urgency, decision.recall_months) == (outcome, urgency, months)


@pytest.mark.parametrize("other", [CLEAR, eye(1), ABSENT, ungradable()])
@pytest.mark.parametrize("n_attempts", [0, 1, 2, 3, 10])
def test_an_ungradable_eye_is_never_rescreened(other: EyeResult, n_attempts: int) -> None:
    decision = decide_outcome(ungradable(n_attempts=n_attempts), other)
    assert decision.outcome in {REPEAT, SLIT_LAMP}
    assert decision.recall_months != 12


@pytest.mark.parametrize("grade", list(ICDRGrade))
@pytest.mark.parametrize("oedema", list(MacularOedema))
def test_every_referable_or_oedematous_eye_is_referred(grade: ICDRGrade, oedema: MacularOedema) -> None:
    outcome = decide_outcome(eye(grade, oedema), CLEAR).outcome
    is_referable = grade.is_referable or oedema in {MacularOedema.SUSPECTED, NOT_CENTRE, CENTRE}
    assert (outcome in {REFER, URGENT}) == is_referable
    assert (outcome is URGENT) == (grade.is_sight_threatening or oedema is CENTRE)


def test_reasons_refer_to_their_eye() -> None:
    decision = decide_outcome(eye(2, NOT_CENTRE), ungradable())
    assert decision.reasons == ("right_grade_2", "right_oedema_not_centre", "left_ungradable")


def test_two_absent_eyes_are_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to decide"):
        decide_outcome(ABSENT, ABSENT)


@pytest.mark.parametrize(
    "values",
    [
        {"grade": None},
        {"is_gradable": False, "grade": ICDRGrade.NONE},
        {"is_absent": True, "is_gradable": False, "grade": ICDRGrade.MILD},
        {"is_absent": True, "grade": ICDRGrade.MILD},
    ],
)
def test_an_inconsistent_eye_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="has a grade if"):
        EyeResult(**values)


@pytest.mark.parametrize(
    ("grades", "is_referable", "is_ungraded", "is_pending", "rank"),
    [
        ([3], True, True, True, WorklistRank.SIGHT_THREATENING),
        ([0, 4], False, False, False, WorklistRank.SIGHT_THREATENING),
        ([2], False, True, True, WorklistRank.REFERABLE),
        ([0], True, False, True, WorklistRank.REFERABLE),
        ([0], False, True, True, WorklistRank.UNGRADED),
        ([], False, True, False, WorklistRank.UNGRADED),
        ([1], False, False, True, WorklistRank.PENDING),
        ([], False, False, True, WorklistRank.PENDING),
        ([0, 1], False, False, False, WorklistRank.LIMITED),
    ],
)
def test_the_most_urgent_fact_decides_the_rank(
    grades: list[int], is_referable: bool, is_ungraded: bool, is_pending: bool, rank: WorklistRank
) -> None:
    found = [
        policy.worklist_rank(
            grades=grades,
            is_any_referable=is_referable,
            is_any_oedema_suspected=False,
            is_any_eye_ungraded=is_ungraded,
            is_any_pending=is_pending,
            is_any_negative_limited=is_limited,
        )
        for is_limited in (True, False)
    ]
    assert found == [rank, WorklistRank.ROUTINE if rank is WorklistRank.LIMITED else rank]


@pytest.mark.parametrize("grade", list(ICDRGrade))
@pytest.mark.parametrize("is_other", [True, False])
def test_suspected_oedema_ranks_as_a_referable_eye(grade: ICDRGrade, is_other: bool) -> None:
    rank = policy.worklist_rank(
        grades=[grade],
        is_any_referable=False,
        is_any_oedema_suspected=True,
        is_any_eye_ungraded=is_other,
        is_any_pending=is_other,
        is_any_negative_limited=is_other,
    )
    assert rank == (WorklistRank.SIGHT_THREATENING if grade >= ICDRGrade.SEVERE else WorklistRank.REFERABLE)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2026-01-15", 12, "2027-01-15"),
        ("2026-10-31", 1, "2026-11-30"),
        ("2027-11-30", 3, "2028-02-29"),
        ("2026-12-31", 0, "2026-12-31"),
        ("2026-12-01", 1, "2027-01-01"),
    ],
)
def test_a_recall_date_is_a_day_that_exists(day: str, months: int, later: str) -> None:
    assert add_months(datetime.date.fromisoformat(day), months) == datetime.date.fromisoformat(later)
