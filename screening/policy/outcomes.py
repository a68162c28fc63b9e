"""Clinical rules as pure functions: outcome, urgency, recall date, order of the worklist. No Django here.

Which outcome follows from a finding is data (``outcome_tables``); what no table can change is here.
"""

import calendar
import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from ml.vocabulary import ICDRGrade
from screening.policy.outcome_limits import limits_of
from screening.policy.outcome_tables import (
    OBSERVABLE_MACULA,
    Combination,
    MacularOedema,
    Outcome,
    OutcomeTable,
    Urgency,
    acuity_code,
    grade_code,
    is_observable,
    oedema_code,
    treatment_code,
)
from screening.policy.scales import GradingScale, Maculopathy, Retinopathy

MAX_ATTEMPTS = 3
"""Ungradable photographs of one field of an eye in one visit, after which it counts as not obtainable by camera.
Default of this project without a source: two repeats, then an examination without the camera. No site can change it."""
MAX_VISITS = 2
"""Visits with an ungradable eye after which it is referred for slit-lamp examination. Default of this project without a
source for the number; that the person is then referred: NHS England, Diabetic eye screening: care pathway, 2 October
2023, steps 8 to 11. No site can change it."""
MAX_CAPTURE_AGE = datetime.timedelta(days=365)
"""Age of a photograph from which it is out of date. Default of this project without a source: the routine interval of
12 months. No site can change it."""
MIN_NEGATIVE_SCREENS = 2
"""Negative screens in a row before a longer interval. Source: NHS England, Diabetic eye screening intervals extended
for people at lowest risk, 6 October 2023. No site can change it."""
MIN_MONTHS_BETWEEN_SCREENS = 6
"""Months between two exams that count as two screens. Default of this project without a source: two exams within half
the routine interval are one screen. No site can change it."""


class WorklistRank(IntEnum):
    """Rank of an exam on the worklist; the smallest is read first."""

    SIGHT_THREATENING = 0
    REFERABLE = 1
    UNGRADED = 2
    """A present eye has no gradable photograph: its quality is too low, or its grading failed."""
    PENDING = 3
    LIMITED = 4
    """Negative, but the photograph of an eye is usable with limits: small lesions could be missed."""
    ROUTINE = 5
    """The only rank that may be a clear negative; every other is read by a person before anything is concluded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeResult:
    """What a reviewer found in one eye. ``n_attempts`` counts ungradable photographs of one field in this visit,
    ``n_visits`` visits with this eye ungradable or not photographed, this one included. ``retinopathy`` and
    ``maculopathy`` are grades of another ``scale`` than ICDR; the outcome then follows from them. ``acuity_logmar`` is
    that of this visit, ``is_treated`` whether the eye had laser, injections or surgery; None: not known."""

    is_absent: bool = False
    is_photographed: bool = True
    is_gradable: bool = True
    grade: ICDRGrade | None = None
    macular_oedema: MacularOedema = MacularOedema.UNKNOWN
    scale: GradingScale = GradingScale.ICDR
    retinopathy: Retinopathy | None = None
    maculopathy: Maculopathy | None = None
    acuity_logmar: float | None = None
    is_treated: bool | None = None
    n_attempts: int = 1
    n_visits: int = 1

    def __post_init__(self) -> None:
        """Raises ValueError unless the eye has a grade exactly if it is present, photographed and gradable."""
        has_grade = self.grade is not None
        if has_grade != (self.is_gradable and self.is_photographed and not self.is_absent):
            raise ValueError("An eye has a grade if, and only if, it is present, photographed and gradable.")
        if (self.retinopathy is not None) != (has_grade and self.scale is not GradingScale.ICDR):
            raise ValueError("A graded eye has a grade of its scale too, if that is not ICDR.")

    @property
    def combination(self) -> Combination:
        """The codes of a graded eye, as rules name them."""
        grade = self.retinopathy or self.grade
        assert grade is not None  # noqa: S101 (for the type)
        macula = oedema_code(self.macular_oedema)
        observable = (OBSERVABLE_MACULA,) if is_observable(self.scale, self.maculopathy) else ()
        acuity, treatment = acuity_code(self.acuity_logmar), treatment_code(self.is_treated)
        return grade_code(grade), macula, *observable, acuity, treatment


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientFacts:
    """What counts beside the eyes. ``n_negative_screens_before``: screens in a row directly before this one, without
    retinopathy and macular oedema in both eyes, each at least MIN_MONTHS_BETWEEN_SCREENS before the next."""

    is_pregnant: bool | None = None
    n_negative_screens_before: int = 0


class NoRuleApplies(LookupError):
    """The outcome table has no rule for an eye. ``combination`` has the codes of the eye."""

    def __init__(self, combination: Combination) -> None:
        super().__init__("The outcome table has no rule for: " + ", ".join(combination))
        self.combination = combination


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows from both eyes. ``recall_months`` is None if the referral decides; 0 means now.

    ``reasons`` are the rules that apply, by eye; ``rules`` those of them that set the outcome or the interval.
    """

    outcome: Outcome
    urgency: Urgency
    recall_months: int | None
    reasons: tuple[str, ...]
    rules: tuple[str, ...] = ()


_OUTCOMES, _URGENCIES = list(Outcome), list(Urgency)
_REFERRALS = frozenset({Outcome.REFER, Outcome.REFER_URGENT})


@dataclass(frozen=True, slots=True)
class _Applied:
    """A rule that applies to an eye, or to the patient. ``months`` is None if the referral decides."""

    reason: str
    outcome: Outcome
    urgency: Urgency
    months: int | None


def decide_outcome(
    right: EyeResult, left: EyeResult, *, table: OutcomeTable, patient: PatientFacts | None = None
) -> Decision:
    """Outcome of an exam by a table. What no table changes: the worse eye decides, an eye that is ungradable or not
    photographed is never a negative, nor is one whose oedema is unknown, and the limits of ``outcome_limits`` hold.

    Raises ValueError if both eyes are absent, NoRuleApplies if the table has no rule for an eye.
    """
    present = [(name, eye) for name, eye in (("right", right), ("left", left)) if not eye.is_absent]
    if not present:
        raise ValueError("Both eyes are absent: there is nothing to decide.")
    applied = [one for name, eye in present for one in _decide_eye(name, eye, table)]
    outcome = max((one.outcome for one in applied), key=_OUTCOMES.index)
    months = _recall_months(outcome, applied)
    changed = _patient_interval(right, left, table, patient or PatientFacts(), outcome, months)
    if changed is not None:
        months, reason = changed
        applied.append(_Applied(reason, outcome, Urgency.ROUTINE, months))
    return Decision(
        outcome=outcome,
        urgency=max((one.urgency for one in applied), key=_URGENCIES.index),
        recall_months=months,
        reasons=tuple(one.reason for one in applied if one.reason),
        rules=tuple(
            one.reason
            for one in applied
            if one.reason and (one.outcome is outcome or (months is not None and one.months == months))
        ),
    )


def _recall_months(outcome: Outcome, applied: Iterable[_Applied]) -> int | None:
    if outcome is Outcome.REFER_SLIT_LAMP:
        return None
    months = [one.months for one in applied if one.months is not None]
    # A referred patient's other eye is examined by the specialist; "photograph again now" would only delay that.
    months = [one for one in months if one > 0] if outcome in _REFERRALS else months
    return min(months, default=None)


def _decide_eye(name: str, eye: EyeResult, table: OutcomeTable) -> list[_Applied]:
    if eye.grade is None:
        reason = f"{name}_ungradable" if eye.is_photographed else f"{name}_not_photographed"
        if eye.n_attempts >= MAX_ATTEMPTS or eye.n_visits >= MAX_VISITS:
            return [_Applied(reason, Outcome.REFER_SLIT_LAMP, Urgency.SOON, None)]
        return [_Applied(reason, Outcome.REPEAT_IMAGING, Urgency.ROUTINE, 0)]
    codes = eye.combination
    rules = [rule for rule in table.rules if rule.applies_to(codes)]
    if eye.scale is not table.scale or not rules:
        raise NoRuleApplies(codes)
    applied = [_Applied(f"{name}_{rule.code}", rule.outcome, rule.urgency, rule.months) for rule in rules]
    # Limits hold for a table that was changed in the database too. They have no reason: a checked table is within them.
    limits = limits_of(table.scale, codes)
    longest = min([rule.months for rule in rules] + [limit.max_months for limit in limits])
    applied += [_Applied("", limit.outcome, limit.urgency, longest) for limit in limits]
    if eye.macular_oedema is MacularOedema.UNKNOWN and _REFERRALS.isdisjoint(one.outcome for one in applied):
        # The model cannot exclude oedema. If the reviewer could not either, the eye is not a negative.
        applied.append(_Applied(f"{name}_oedema_unknown", Outcome.REPEAT_IMAGING, Urgency.ROUTINE, 0))
    return applied


def _patient_interval(
    right: EyeResult,
    left: EyeResult,
    table: OutcomeTable,
    patient: PatientFacts,
    outcome: Outcome,
    months: int | None,
) -> tuple[int, str] | None:
    """The interval that follows from the whole patient, with its reason; None if there is none.

    Pregnancy can only shorten an interval. Two negative screens lengthen it, never in pregnancy, and never if a rule
    for more than the grade applies: that one is about this eye.
    """
    if not months:
        return None
    if patient.is_pregnant:
        limit = table.pregnancy_months
        return (min(months, limit), "patient_pregnant") if limit is not None else None
    if outcome is not Outcome.RESCREEN or table.negative_months is None:
        return None
    is_negative = all(is_negative_eye(eye) and _has_grade_rules_alone(eye, table) for eye in (right, left))
    is_in_a_row = patient.n_negative_screens_before + 1 >= MIN_NEGATIVE_SCREENS
    if is_negative and is_in_a_row and table.negative_months > months:
        return table.negative_months, "patient_two_negatives"
    return None


def is_negative_eye(eye: EyeResult) -> bool:
    """Whether an eye is present, graded, and without retinopathy and macular oedema."""
    is_clear = eye.grade is ICDRGrade.NONE and eye.macular_oedema is MacularOedema.NONE
    return is_clear and eye.retinopathy in {None, Retinopathy.R0} and eye.maculopathy in {None, Maculopathy.M0}


def count_negative_screens(day: datetime.date, earlier: Iterable[tuple[datetime.date, bool]]) -> int:
    """Negative screens in a row before ``day``. ``earlier``: day and whether it was negative, newest first."""
    n_screens = 0
    for screened_on, is_negative in earlier:
        if not is_negative:
            break
        if add_months(screened_on, MIN_MONTHS_BETWEEN_SCREENS) <= day:
            n_screens, day = n_screens + 1, screened_on
    return n_screens


def _has_grade_rules_alone(eye: EyeResult, table: OutcomeTable) -> bool:
    rules = [rule for rule in table.rules if rule.applies_to(eye.combination)]
    return all(set(rule.conditions) <= {rule.grade} for rule in rules)


def worklist_rank(
    *,
    grades: Iterable[int],
    is_any_referable: bool,
    is_any_oedema_suspected: bool,
    is_any_eye_ungraded: bool,
    is_any_pending: bool,
    is_any_negative_limited: bool,
) -> WorklistRank:
    """Rank of an exam on the worklist, from the newest gradings: the most urgent fact decides.

    Suspected macular oedema ranks as a referable eye does, because oedema is referred (ADA 2017, table 4).
    ``is_any_eye_ungraded``: a present eye has no gradable photograph and none that is being graded.
    ``is_any_negative_limited``: small lesions could be missed in a negative result.
    """
    known = [ICDRGrade(grade) for grade in grades]
    if any(grade.is_sight_threatening for grade in known):
        return WorklistRank.SIGHT_THREATENING
    if is_any_referable or is_any_oedema_suspected or any(grade.is_referable for grade in known):
        return WorklistRank.REFERABLE
    if is_any_eye_ungraded:
        return WorklistRank.UNGRADED
    if is_any_pending:
        return WorklistRank.PENDING
    return WorklistRank.LIMITED if is_any_negative_limited else WorklistRank.ROUTINE


def next_due_on(*, has_result: bool, recall_on: datetime.date | None, today: datetime.date) -> datetime.date | None:
    """When a patient is due for screening: the recall date of the last valid result, or ``today`` without any result.

    None if that result is a referral without a recall date: then the referral decides.
    """
    return recall_on if has_result else today


def add_months(day: datetime.date, months: int) -> datetime.date:
    """The same day ``months`` later, or the last day of a shorter month."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month0 + 1, day=min(day.day, calendar.monthrange(year, month0 + 1)[1]))
