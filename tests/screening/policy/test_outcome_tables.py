"""Outcome tables: the built-in ones equal the earlier rules, and no table can change the fixed rules."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.vocabulary import ICDRGrade
from screening.policy import (
    Decision,
    EyeResult,
    GradingScale,
    MacularOedema,
    Maculopathy,
    NoRuleApplies,
    Outcome,
    OutcomeRule,
    OutcomeTable,
    PatientFacts,
    Urgency,
    decide_outcome,
    default_table,
    nhs_table,
)
from screening.policy.default_outcomes import CURRENT_VERSION, FIRST_VERSION
from screening.policy.outcome_limits import MAX_RULES, ProblemKind, find_problems, limits_of
from screening.policy.outcome_tables import (
    ACUITIES,
    CHOOSABLE_URGENCIES,
    TREATMENTS,
    combinations_of,
    grades_of,
    maculae_of,
)
from screening.policy.scales import SCALES
from tests.screening.policy.earlier_outcomes import earlier_outcome
from tests.screening.policy.test_lesions import BUDGET

ICDR, SCOTLAND = GradingScale.ICDR, GradingScale.SCOTLAND
NEGATIVES = {Outcome.RESCREEN}
OUTCOMES, URGENCIES = list(Outcome), list(Urgency)


def graded_eyes(scale: GradingScale, **more: Any) -> list[EyeResult]:
    """Every graded eye that a scale has, with each answer for the macula."""
    if scale is ICDR:
        found = product(ICDRGrade, MacularOedema)
        return [EyeResult(grade=grade, macular_oedema=oedema, **more) for grade, oedema in found]
    maculopathies: list[Maculopathy | None] = [None, *SCALES[scale].maculopathy]
    return [
        EyeResult(scale=scale, grade=icdr[0], retinopathy=grade, maculopathy=maculopathy, macular_oedema=oedema, **more)
        for (grade, icdr), maculopathy, oedema in product(SCALES[scale].icdr.items(), maculopathies, MacularOedema)
    ]


ABSENT = EyeResult(is_absent=True, is_gradable=False)
NOT_GRADED = [
    EyeResult(is_gradable=False),
    EyeResult(is_gradable=False, n_attempts=3),
    EyeResult(is_gradable=False, n_visits=2),
    EyeResult(is_gradable=False, is_photographed=False),
    EyeResult(is_gradable=False, is_photographed=False, n_visits=2),
]


@pytest.mark.parametrize("scale", list(GradingScale))
@pytest.mark.parametrize("version", [FIRST_VERSION, CURRENT_VERSION])
def test_the_built_in_tables_equal_the_earlier_rules(scale: GradingScale, version: int) -> None:
    table, eyes = default_table(scale, version), [ABSENT, *NOT_GRADED, *graded_eyes(scale)]
    for right, left in product(eyes, eyes):
        if right.is_absent and left.is_absent:
            continue
        earlier, decision = earlier_outcome(right, left), decide_outcome(right, left, table=table)
        assert (*values_of(decision), decision.reasons) == (
            earlier.outcome,
            earlier.urgency,
            earlier.recall_months,
            earlier.reasons,
        ), (right, left)


@pytest.mark.parametrize("scale", list(GradingScale))
def test_the_built_in_tables_have_no_problem_and_a_source_beside_each_rule(scale: GradingScale) -> None:
    for table in (default_table(scale), default_table(scale, FIRST_VERSION), nhs_table(scale)):
        assert find_problems(table) == []
        assert all(rule.source for rule in table.rules)


@st.composite
def any_tables(draw: st.DrawFn) -> OutcomeTable:
    """A table as an editor could send it: rules of any kind, complete or not, within the limits or not."""
    scale = draw(st.sampled_from(list(GradingScale)))
    rules = st.builds(
        OutcomeRule,
        grade=st.sampled_from(["", *grades_of(scale)]),
        macula=st.sampled_from(["", *maculae_of(scale)]),
        acuity=st.sampled_from(["", *ACUITIES]),
        treatment=st.sampled_from(["", *TREATMENTS]),
        outcome=st.sampled_from(list(CHOOSABLE_URGENCIES)),
        urgency=st.sampled_from(list(Urgency)),
        months=st.integers(-1, 30),
    )
    default = list(default_table(scale).rules)
    kept = draw(st.lists(st.sampled_from(default), unique=True)) if draw(st.booleans()) else default
    return OutcomeTable(
        scale=scale,
        rules=(*kept, *draw(st.lists(rules, max_size=4))),
        negative_months=draw(st.none() | st.integers(1, 40)),
        pregnancy_months=draw(st.none() | st.integers(1, 40)),
    )


@st.composite
def any_eyes(draw: st.DrawFn, scale: GradingScale) -> EyeResult:
    if draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from([ABSENT, *NOT_GRADED]))
    eye = draw(st.sampled_from(graded_eyes(scale)))
    logmar = draw(st.sampled_from([None, 0.0, 0.29, 0.3, 1.85]))
    return replace(eye, acuity_logmar=logmar, is_treated=draw(st.sampled_from([None, True, False])))


PATIENTS = st.builds(
    PatientFacts, is_pregnant=st.sampled_from([None, True, False]), n_negative_screens_before=st.integers(0, 3)
)


@BUDGET
@given(any_tables(), st.data(), PATIENTS)
def test_no_table_changes_the_fixed_rules(table: OutcomeTable, data: st.DataObject, patient: PatientFacts) -> None:
    right, left = data.draw(any_eyes(table.scale)), data.draw(any_eyes(table.scale))
    eyes = [eye for eye in (right, left) if not eye.is_absent]
    if not eyes:
        return
    try:
        decision = decide_outcome(right, left, table=table, patient=patient)
    except NoRuleApplies as error:
        codes = error.combination
    else:
        codes = ()
    if codes:  # only a table that could not be stored has no rule for an eye
        assert find_problems(table)
        return
    severity, urgency = OUTCOMES.index(decision.outcome), URGENCIES.index(decision.urgency)
    if any(eye.grade is None or eye.macular_oedema is MacularOedema.UNKNOWN for eye in eyes):
        assert decision.outcome not in NEGATIVES
    for eye in eyes:
        alone = decide_outcome(eye, ABSENT, table=table, patient=patient)
        assert severity >= OUTCOMES.index(alone.outcome)
        assert urgency >= URGENCIES.index(alone.urgency)
        for limit in limits_of(table.scale, eye.combination) if eye.grade is not None else []:
            assert severity >= OUTCOMES.index(limit.outcome)
            assert urgency >= URGENCIES.index(limit.urgency)
    mirrored = decide_outcome(left, right, table=table, patient=patient)
    assert values_of(mirrored) == values_of(decision)
    assert sorted(map(other_side, mirrored.rules)) == sorted(decision.rules)


def values_of(decision: Decision) -> tuple[Outcome, Urgency, int | None]:
    return decision.outcome, decision.urgency, decision.recall_months


def other_side(reason: str) -> str:
    """The same reason of the other eye."""
    side, _underscore, code = reason.partition("_")
    other = {"right": "left", "left": "right"}.get(side, side)
    return f"{other}_{code}"


@BUDGET
@given(any_tables(), st.data(), PATIENTS)
def test_a_table_without_problems_decides_every_pair_of_eyes_within_the_limits(
    table: OutcomeTable, data: st.DataObject, patient: PatientFacts
) -> None:
    if find_problems(table):
        table = replace(nhs_table(table.scale), rules=default_table(table.scale).rules)
    right, left = data.draw(any_eyes(table.scale)), data.draw(any_eyes(table.scale))
    if right.is_absent and left.is_absent:
        return
    decision = decide_outcome(right, left, table=table, patient=patient)
    assert decision.rules
    if decision.recall_months is None:
        assert decision.outcome is Outcome.REFER_SLIT_LAMP
        return
    limits = [one.max_months for eye in (right, left) if eye.grade is not None
              for one in limits_of(table.scale, eye.combination)]  # fmt: skip
    has_two_negatives = "patient_two_negatives" in decision.reasons
    assert decision.recall_months <= (24 if has_two_negatives else min(limits, default=0))
    if has_two_negatives:
        assert decision.outcome is Outcome.RESCREEN
        assert patient.n_negative_screens_before >= 1
        assert not patient.is_pregnant


CLEAR = EyeResult(grade=ICDRGrade.NONE, macular_oedema=MacularOedema.NONE)
SECOND = PatientFacts(n_negative_screens_before=1)


@pytest.mark.parametrize(
    ("right", "left", "patient", "months"),
    [
        (CLEAR, CLEAR, SECOND, 24),
        (CLEAR, CLEAR, PatientFacts(), 12),
        (CLEAR, CLEAR, PatientFacts(n_negative_screens_before=1, is_pregnant=True), 3),
        (CLEAR, ABSENT, SECOND, 12),
        (CLEAR, replace(CLEAR, grade=ICDRGrade.MILD), SECOND, 12),
        (CLEAR, EyeResult(is_gradable=False), SECOND, 0),
        (CLEAR, replace(CLEAR, macular_oedema=MacularOedema.UNKNOWN), SECOND, 0),
        (CLEAR, replace(CLEAR, grade=ICDRGrade.MODERATE), PatientFacts(is_pregnant=True), 3),
    ],
)
def test_two_negative_screens_lengthen_and_pregnancy_shortens(
    right: EyeResult, left: EyeResult, patient: PatientFacts, months: int
) -> None:
    assert decide_outcome(right, left, table=nhs_table(ICDR), patient=patient).recall_months == months


def test_a_rule_about_the_eye_is_not_lengthened_by_two_negative_screens() -> None:
    rule = OutcomeRule(
        grade="grade_0", treatment="treated", outcome=Outcome.RESCREEN, urgency=Urgency.ROUTINE, months=6
    )
    table = replace(nhs_table(ICDR), rules=(*default_table(ICDR).rules, rule))
    decision = decide_outcome(CLEAR, replace(CLEAR, is_treated=True), table=table, patient=SECOND)
    assert (decision.recall_months, decision.rules) == (6, ("right_grade_0", "left_grade_0", "left_grade_0+treated"))


def problems_of(**changes: Any) -> set[ProblemKind]:
    return {problem.kind for problem in find_problems(replace(default_table(ICDR), **changes))}


def changed_rule(code: str, **changes: Any) -> dict[str, Any]:
    """The rules of the built-in table, one of them changed."""
    return {"rules": tuple(replace(r, **changes) if r.code == code else r for r in default_table(ICDR).rules)}


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"rules": default_table(ICDR).rules[1:]}, {ProblemKind.NO_RULE}),
        ({"rules": ()}, {ProblemKind.NO_RULE}),
        ({"rules": default_table(ICDR).rules[:1] * 2}, {ProblemKind.REPEATED_RULE}),
        (
            {"rules": default_table(ICDR).rules * (MAX_RULES // 8 + 1)},
            {ProblemKind.REPEATED_RULE, ProblemKind.TOO_MANY},
        ),
        (changed_rule("grade_2", outcome=Outcome.RESCREEN, urgency=Urgency.ROUTINE), {ProblemKind.TOO_MILD}),
        (changed_rule("grade_2", outcome=Outcome.REPEAT_IMAGING), {ProblemKind.BAD_URGENCY}),
        (changed_rule("grade_4", urgency=Urgency.SOON), {ProblemKind.BAD_URGENCY}),
        (changed_rule("grade_0", months=13), {ProblemKind.TOO_LONG}),
        (changed_rule("oedema_centre", months=5), {ProblemKind.TOO_LONG}),
        (changed_rule("oedema_centre", months=4), set()),
        (changed_rule("grade_2", months=9), set()),
        (changed_rule("grade_0", months=0), {ProblemKind.BAD_MONTHS}),
        (changed_rule("grade_0", grade="scale_R0"), {ProblemKind.UNKNOWN_CODE}),
        ({"negative_months": 25}, {ProblemKind.NEGATIVE_MONTHS}),
        ({"pregnancy_months": 4}, {ProblemKind.PREGNANCY_MONTHS}),
        ({"negative_months": 24, "pregnancy_months": 1}, set()),
    ],
)
def test_a_table_outside_the_limits_has_a_problem(changes: dict[str, Any], kinds: set[ProblemKind]) -> None:
    assert problems_of(**changes) == kinds


def test_a_combination_without_a_rule_is_named() -> None:
    rules = tuple(rule for rule in default_table(ICDR).rules if rule.code != "grade_1")
    only_reduced = OutcomeRule(
        grade="grade_1", acuity="acuity_reduced", outcome=Outcome.REFER, urgency=Urgency.SOON, months=6
    )
    problems = find_problems(replace(default_table(ICDR), rules=(*rules, only_reduced)))
    assert ("grade_1", "oedema_none", "acuity_unknown", "treated") in {problem.codes for problem in problems}
    assert all(codes[0] == "grade_1" and "acuity_reduced" not in codes for codes in (p.codes for p in problems))


@pytest.mark.parametrize("scale", list(GradingScale))
def test_the_combinations_are_those_of_the_eyes(scale: GradingScale) -> None:
    states = product([None, 0.0, 0.3], [None, True, False])
    found = {
        eye.combination
        for logmar, is_treated in states
        for eye in graded_eyes(scale, acuity_logmar=logmar, is_treated=is_treated)
    }
    assert found == set(combinations_of(scale))


def test_an_eye_of_another_scale_has_no_rule() -> None:
    with pytest.raises(NoRuleApplies, match="grade_0"):
        decide_outcome(CLEAR, CLEAR, table=default_table(SCOTLAND))
