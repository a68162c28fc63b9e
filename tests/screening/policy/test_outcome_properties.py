"""Properties of outcomes of two eyes that hold for every table, and for every pair of eyes of the built-in ones."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.vocabulary import ICDRGrade
from screening.policy import (
    Decision,
    EyeResult,
    GradingScale,
    MacularOedema,
    NoRuleApplies,
    Outcome,
    OutcomeTable,
    PatientFacts,
    Urgency,
    decide_outcome,
    default_table,
    nhs_table,
)
from screening.policy.outcome_limits import NEGATIVE_MONTHS_RANGE
from tests.screening.policy.test_lesions import BUDGET
from tests.screening.policy.test_outcome_tables import ABSENT, NOT_GRADED, PATIENTS, any_eyes, any_tables, graded_eyes

OUTCOMES, URGENCIES = list(Outcome), list(Urgency)
REFERRALS = {Outcome.REFER, Outcome.REFER_URGENT}
SECOND = PatientFacts(n_negative_screens_before=1)
KNOWN_OEDEMA = (MacularOedema.NONE, MacularOedema.SUSPECTED, MacularOedema.NOT_CENTRE, MacularOedema.CENTRE)
"""Mildest first."""


def decide(right: EyeResult, left: EyeResult, table: OutcomeTable, patient: PatientFacts) -> Decision | None:
    """None if both eyes are absent, or if the table has no rule."""
    try:
        return decide_outcome(right, left, table=table, patient=patient)
    except (ValueError, NoRuleApplies):
        return None


def is_no_negative(eye: EyeResult) -> bool:
    """Whether an eye that is present was not read completely."""
    return not eye.is_absent and (eye.grade is None or eye.macular_oedema is MacularOedema.UNKNOWN)


@BUDGET
@given(any_tables(), st.data(), PATIENTS)
def test_an_eye_that_was_not_read_leads_to_photographs_at_once_or_to_a_referral(
    table: OutcomeTable, data: st.DataObject, patient: PatientFacts
) -> None:
    right, left = data.draw(any_eyes(table.scale)), data.draw(any_eyes(table.scale))
    decision = decide(right, left, table, patient)
    if decision is None or not (is_no_negative(right) or is_no_negative(left)):
        return
    assert decision.outcome is not Outcome.RESCREEN
    if decision.outcome is Outcome.REPEAT_IMAGING:
        assert decision.recall_months is not None
        assert decision.recall_months <= 0
    assert "patient_two_negatives" not in decision.reasons


@BUDGET
@given(any_tables(), st.data(), PATIENTS)
def test_pregnancy_only_shortens_the_interval(table: OutcomeTable, data: st.DataObject, patient: PatientFacts) -> None:
    right, left = data.draw(any_eyes(table.scale)), data.draw(any_eyes(table.scale))
    pregnant = decide(right, left, table, replace(patient, is_pregnant=True))
    other = decide(right, left, table, PatientFacts(is_pregnant=False))
    if pregnant is None or other is None:
        assert pregnant is other
        return
    assert (pregnant.outcome, pregnant.urgency) == (other.outcome, other.urgency)
    assert (pregnant.recall_months is None) == (other.recall_months is None)
    if pregnant.recall_months is not None and other.recall_months is not None:
        assert pregnant.recall_months <= other.recall_months
        if pregnant.recall_months > 0 and table.pregnancy_months is not None:
            assert pregnant.recall_months <= table.pregnancy_months


@BUDGET
@given(any_tables(), st.data())
def test_the_interval_is_never_longer_than_that_of_each_graded_eye(table: OutcomeTable, data: st.DataObject) -> None:
    right, left = data.draw(any_eyes(table.scale)), data.draw(any_eyes(table.scale))
    decision = decide(right, left, table, PatientFacts())
    if decision is None or decision.recall_months is None:
        return
    for eye in (right, left):
        alone = decide(eye, ABSENT, table, PatientFacts())
        # A referral has no use for "at once", which is of an eye that was not read.
        if (
            alone is not None
            and alone.recall_months is not None
            and (alone.recall_months > 0 or decision.outcome not in REFERRALS)
        ):
            assert decision.recall_months <= alone.recall_months


@BUDGET
@given(any_tables(), st.data(), PATIENTS)
def test_a_longer_interval_needs_two_negatives_of_both_eyes(
    table: OutcomeTable, data: st.DataObject, patient: PatientFacts
) -> None:
    right, left = data.draw(any_eyes(table.scale)), data.draw(any_eyes(table.scale))
    decision = decide(right, left, table, patient)
    if decision is None or "patient_two_negatives" not in decision.reasons:
        return
    assert patient.n_negative_screens_before >= 1
    assert not patient.is_pregnant
    for eye in (right, left):
        assert (eye.is_absent, eye.grade, eye.macular_oedema) == (False, ICDRGrade.NONE, MacularOedema.NONE)


def severity(decision: Decision) -> tuple[int, int, int]:
    """Larger is worse: outcome, urgency, and how soon the next visit is."""
    months = 999 if decision.recall_months is None else decision.recall_months
    return OUTCOMES.index(decision.outcome), URGENCIES.index(decision.urgency), -months


@pytest.mark.parametrize("make", [default_table, nhs_table])
@pytest.mark.parametrize("patient", [PatientFacts(), SECOND, PatientFacts(is_pregnant=True)])
def test_a_worse_eye_never_leads_to_a_milder_outcome(
    make: Callable[[GradingScale], OutcomeTable], patient: PatientFacts
) -> None:
    """Each pair of eyes with a known answer for the macula, one grade or one step of oedema worse in one of them."""
    table = make(GradingScale.ICDR)
    eyes = [EyeResult(grade=grade, macular_oedema=oedema) for grade, oedema in product(ICDRGrade, KNOWN_OEDEMA)]
    found = {
        pair: decide_outcome(*pair, table=table, patient=patient)
        for pair in product(eyes, [*eyes, *NOT_GRADED, ABSENT])
    }
    for (eye, other), decision in found.items():
        for worse in eyes:
            assert worse.grade is not None
            assert eye.grade is not None
            is_worse = worse.grade >= eye.grade and KNOWN_OEDEMA.index(worse.macular_oedema) >= KNOWN_OEDEMA.index(
                eye.macular_oedema
            )
            if is_worse:
                assert severity(found[worse, other])[:2] >= severity(decision)[:2], (eye, worse, other)
                if other.grade is not None:
                    assert severity(found[worse, other]) >= severity(decision), (eye, worse, other)


@pytest.mark.parametrize("scale", list(GradingScale))
def test_a_negative_outcome_means_that_every_present_eye_was_read_and_has_a_known_macula(scale: GradingScale) -> None:
    """Every pair of eyes, by the table with the longest interval."""
    table, eyes = nhs_table(scale), [ABSENT, *NOT_GRADED, *graded_eyes(scale)]
    for right, left in product(eyes, eyes):
        decision = decide(right, left, table, SECOND)
        if decision is not None and decision.outcome is Outcome.RESCREEN:
            assert not is_no_negative(right)
            assert not is_no_negative(left)
            assert decision.recall_months is not None
            assert 0 < decision.recall_months <= NEGATIVE_MONTHS_RANGE[1]
