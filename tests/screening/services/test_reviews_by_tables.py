"""Reviews that are signed by the outcome table of their site."""

import datetime
from dataclasses import replace

import pytest
from django.utils import timezone

from ml.vocabulary import Laterality
from screening.models import Exam, Site, User, VisitFacts
from screening.policy import Outcome, OutcomeRule, Urgency, default_table
from screening.policy import nhs_table as nhs_table_of
from screening.services.acuities import record_acuity
from tests.screening.outcome_tables import (
    ICDR,
    NOW,
    Save,
    finding,
    new_exam,
    saving,
    sign,
    signed_result,
    with_months,
)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def save(site: Site, manager: User) -> Save:
    return saving(site, manager)


def test_a_review_names_the_table_and_the_rules(save: Save, site: Site, reviewer: User) -> None:
    built_in = sign(new_exam(site), reviewer, grade=2)
    assert (built_in.outcome_table, built_in.built_in_version) == (None, 2)
    assert built_in.outcome_rules == ["right_grade_2", "left_grade_2"]
    row = save(with_months("grade_2", 3))
    review = sign(new_exam(site), reviewer, grade=2)
    assert (review.outcome_table, review.built_in_version, review.recall_on) == (row, None, datetime.date(2027, 2, 27))
    built_in.refresh_from_db()
    assert (built_in.outcome_table, built_in.recall_on) == (None, datetime.date(2027, 5, 27))


def test_an_amendment_keeps_the_table_unless_a_finding_differs(save: Save, site: Site, reviewer: User) -> None:
    exam = new_exam(site)
    signed = sign(exam, reviewer)
    row = save(with_months("grade_1", 6))
    same = sign(exam, reviewer, amends=signed, amend_reason="A word")
    assert (same.outcome_table, same.built_in_version) == (None, 2)
    other = sign(exam, reviewer, grade=1, amends=same, amend_reason="Microaneurysm")
    assert (other.outcome_table, other.recall_on) == (row, datetime.date(2027, 5, 27))


REDUCED = OutcomeRule(grade="grade_0", acuity="acuity_reduced", outcome=Outcome.REFER, urgency=Urgency.SOON, months=6)
TREATED = OutcomeRule(grade="grade_0", treatment="treated", outcome=Outcome.RESCREEN, urgency=Urgency.ROUTINE, months=6)
WITH_MORE = replace(default_table(ICDR), rules=(*default_table(ICDR).rules, REDUCED, TREATED))


@pytest.mark.parametrize(
    ("acuity", "treatments", "outcome", "months"),
    [
        ("", None, "rescreen", 12),
        ("6/9", [], "rescreen", 12),
        ("6/12", None, "refer", 6),
        ("", ["laser"], "rescreen", 6),
    ],
)
def test_acuity_and_treatment_of_the_visit_count(
    save: Save, site: Site, reviewer: User, photographer: User, acuity: str, treatments: list[str] | None, outcome: str,
    months: int,
) -> None:  # fmt: skip
    save(WITH_MORE)
    exam = new_exam(site)
    if acuity:
        record_acuity(exam=exam, laterality=Laterality.LEFT, entered=acuity, correction=None, by=photographer)
    VisitFacts.objects.create(exam=exam, left_eye_treatments=treatments, recorded_by=photographer)
    review = sign(exam, reviewer)
    assert (review.outcome, review.recall_on) == (
        outcome,
        datetime.date(2026 + (10 + months) // 12, (10 + months) % 12 + 1, 27),
    )


def test_an_acuity_that_is_entered_in_an_amendment_counts(save: Save, site: Site, reviewer: User) -> None:
    save(WITH_MORE)
    exam = new_exam(site)
    signed = sign(exam, reviewer)
    findings = {eye: finding(eye, 0, acuity="6/18") for eye in Laterality}
    amended = sign(exam, reviewer, findings=findings, amends=signed, amend_reason="Acuity was missing")
    assert (signed.outcome, amended.outcome) == ("rescreen", "refer")
    assert amended.outcome_rules == ["right_grade_0+acuity_reduced", "left_grade_0+acuity_reduced"]


@pytest.mark.parametrize(
    ("days_ago", "grades", "months"),
    [
        ([], [], 12),
        ([370], [0], 24),
        ([370, 740], [0, 0], 24),
        ([30], [0], 12),  # the same screen
        ([30, 370], [0, 0], 24),
        ([370], [1], 12),
        ([370, 740], [1, 0], 12),
    ],
)
def test_two_negative_screens_in_a_row_lengthen_the_interval(
    save: Save, site: Site, reviewer: User, days_ago: list[int], grades: list[int], months: int
) -> None:
    save(nhs_table_of(ICDR))
    exam = new_exam(site)
    for days, grade in zip(days_ago, grades, strict=True):
        earlier = new_exam(site, patient=exam.patient)
        Exam.objects.filter(pk=earlier.pk).update(created_at=timezone.now() - datetime.timedelta(days=days))
        signed_result(earlier, grade=grade)
    assert sign(exam, reviewer).recall_on == datetime.date(2026 + months // 12, 11, 27)


def test_a_negative_result_entered_in_error_does_not_count(save: Save, site: Site, reviewer: User) -> None:
    save(nhs_table_of(ICDR))
    exam = new_exam(site)
    earlier = new_exam(site, patient=exam.patient)
    Exam.objects.filter(pk=earlier.pk).update(created_at=timezone.now() - datetime.timedelta(days=370))
    signed_result(earlier)
    Exam.objects.filter(pk=earlier.pk).update(reading_round=1)
    assert sign(exam, reviewer).recall_on == datetime.date(2027, 11, 27)


def test_pregnancy_shortens_the_interval(site: Site, reviewer: User, photographer: User) -> None:
    exam = new_exam(site)
    VisitFacts.objects.create(exam=exam, is_pregnant=True, recorded_by=photographer)
    review = sign(exam, reviewer)
    assert (review.outcome, review.recall_on) == ("rescreen", datetime.date(2027, 2, 27))
    assert review.outcome_rules == ["right_grade_0", "left_grade_0", "patient_pregnant"]
