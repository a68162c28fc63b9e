"""Clinical rules as pure functions: outcome, urgency, recall date, order of the worklist.

Recall and referral: ICO Guidelines for Diabetic Eye Care (2017), tables 3 and 4, as the ADA position statement
(Solomon et al., Diabetes Care 2017) repeats them. No Django here.
"""

import calendar
import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from ml.vocabulary import ICDRGrade
from screening.policy.scales import GradingScale, Maculopathy, Retinopathy

MAX_ATTEMPTS = 3
"""Ungradable photographs of one field of an eye in one visit, after which it counts as not obtainable by camera."""
MAX_VISITS = 2
"""Visits with an ungradable eye after which it is referred for slit-lamp examination."""
MAX_CAPTURE_AGE = datetime.timedelta(days=365)
"""The longest interval between screenings here is 12 months (table above): an older photograph is out of date."""


class Outcome(StrEnum):
    """What follows for the patient, mildest first."""

    RESCREEN = "rescreen"
    REPEAT_IMAGING = "repeat_imaging"
    REFER_SLIT_LAMP = "refer_slit_lamp"
    REFER = "refer"
    REFER_URGENT = "refer_urgent"


class Urgency(StrEnum):
    """How soon the outcome is due."""

    ROUTINE = "routine"
    SOON = "soon"
    IMMEDIATE = "immediate"


class MacularOedema(StrEnum):
    """Macular oedema, as a clinician finds it."""

    NONE = "none"
    SUSPECTED = "suspected"
    """Signs of it in a photograph, such as exudates near the fovea: M1 in England, M2 in Scotland."""
    NOT_CENTRE = "not_centre"
    CENTRE = "centre"
    UNKNOWN = "unknown"


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
    ``maculopathy`` are grades of another ``scale`` than ICDR; the outcome then follows from them."""

    is_absent: bool = False
    is_photographed: bool = True
    is_gradable: bool = True
    grade: ICDRGrade | None = None
    macular_oedema: MacularOedema = MacularOedema.UNKNOWN
    scale: GradingScale = GradingScale.ICDR
    retinopathy: Retinopathy | None = None
    maculopathy: Maculopathy | None = None
    n_attempts: int = 1
    n_visits: int = 1

    def __post_init__(self) -> None:
        """Raises ValueError unless the eye has a grade exactly if it is present, photographed and gradable."""
        has_grade = self.grade is not None
        if has_grade != (self.is_gradable and self.is_photographed and not self.is_absent):
            raise ValueError("An eye has a grade if, and only if, it is present, photographed and gradable.")
        if (self.retinopathy is not None) != (has_grade and self.scale is not GradingScale.ICDR):
            raise ValueError("A graded eye has a grade of its scale too, if that is not ICDR.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows from both eyes. ``recall_months`` is None if the referral decides; 0 means now."""

    outcome: Outcome
    urgency: Urgency
    recall_months: int | None
    reasons: tuple[str, ...]


_BY_GRADE = {
    ICDRGrade.NONE: (Outcome.RESCREEN, Urgency.ROUTINE, 12),
    ICDRGrade.MILD: (Outcome.RESCREEN, Urgency.ROUTINE, 12),
    ICDRGrade.MODERATE: (Outcome.REFER, Urgency.SOON, 6),
    ICDRGrade.SEVERE: (Outcome.REFER_URGENT, Urgency.IMMEDIATE, 3),
    ICDRGrade.PROLIFERATIVE: (Outcome.REFER_URGENT, Urgency.IMMEDIATE, 3),
}
_BY_RETINOPATHY = {
    GradingScale.ENGLAND: {
        Retinopathy.R0: (Outcome.RESCREEN, Urgency.ROUTINE, 12),
        Retinopathy.R1: (Outcome.RESCREEN, Urgency.ROUTINE, 12),
        Retinopathy.R2L: (Outcome.REFER, Urgency.SOON, 6),
        Retinopathy.R2H: (Outcome.REFER, Urgency.SOON, 6),
        Retinopathy.R3S: (Outcome.REFER, Urgency.SOON, 6),
        Retinopathy.R3A: (Outcome.REFER_URGENT, Urgency.IMMEDIATE, 3),
    },
    GradingScale.SCOTLAND: {
        Retinopathy.R0: (Outcome.RESCREEN, Urgency.ROUTINE, 12),
        Retinopathy.R1: (Outcome.RESCREEN, Urgency.ROUTINE, 12),
        Retinopathy.R2: (Outcome.RESCREEN, Urgency.ROUTINE, 6),
        Retinopathy.R3: (Outcome.REFER, Urgency.SOON, 6),
        Retinopathy.R4: (Outcome.REFER_URGENT, Urgency.IMMEDIATE, 3),
    },
}
"""Sources: see ``scales``."""
_SCOTTISH_M1 = (Outcome.RESCREEN, Urgency.ROUTINE, 6)
_BY_OEDEMA = {
    MacularOedema.SUSPECTED: (Outcome.REFER, Urgency.SOON, 6),
    MacularOedema.NOT_CENTRE: (Outcome.REFER, Urgency.SOON, 6),
    MacularOedema.CENTRE: (Outcome.REFER_URGENT, Urgency.IMMEDIATE, 1),
}
_OUTCOMES = list(Outcome)
_URGENCIES = list(Urgency)


def decide_outcome(right: EyeResult, left: EyeResult) -> Decision:
    """Outcome of an exam: the worse eye decides, and an eye that is ungradable or not photographed is never a negative.

    Raises ValueError if both eyes are absent.
    """
    present = [(name, eye) for name, eye in (("right", right), ("left", left)) if not eye.is_absent]
    if not present:
        raise ValueError("Both eyes are absent: there is nothing to decide.")
    decisions = [_decide_eye(name, eye) for name, eye in present]
    months = [decision.recall_months for decision in decisions if decision.recall_months is not None]
    outcome = max((decision.outcome for decision in decisions), key=_OUTCOMES.index)
    is_referred = outcome in {Outcome.REFER, Outcome.REFER_URGENT}
    # A referred patient's other eye is examined by the specialist; "photograph again now" would only delay that.
    months = [month for month in months if month > 0] if is_referred else months
    return Decision(
        outcome=outcome,
        urgency=max((decision.urgency for decision in decisions), key=_URGENCIES.index),
        recall_months=None if outcome is Outcome.REFER_SLIT_LAMP else min(months, default=None),
        reasons=tuple(reason for decision in decisions for reason in decision.reasons),
    )


def _decide_eye(name: str, eye: EyeResult) -> Decision:
    if eye.grade is None:
        is_unobtainable = eye.n_attempts >= MAX_ATTEMPTS or eye.n_visits >= MAX_VISITS
        outcome = Outcome.REFER_SLIT_LAMP if is_unobtainable else Outcome.REPEAT_IMAGING
        urgency = Urgency.SOON if is_unobtainable else Urgency.ROUTINE
        return Decision(
            outcome=outcome,
            urgency=urgency,
            recall_months=None if is_unobtainable else 0,
            reasons=(f"{name}_ungradable" if eye.is_photographed else f"{name}_not_photographed",),
        )
    rules = [_grade_rule(name, eye, eye.grade)]
    if eye.scale is GradingScale.SCOTLAND and eye.maculopathy is Maculopathy.M1:
        rules.append((*_SCOTTISH_M1, f"{name}_scale_M1"))
    if eye.macular_oedema in _BY_OEDEMA:
        rules.append((*_BY_OEDEMA[eye.macular_oedema], f"{name}_oedema_{eye.macular_oedema.value}"))
    elif eye.macular_oedema is MacularOedema.UNKNOWN and rules[0][0] not in {Outcome.REFER, Outcome.REFER_URGENT}:
        # The model cannot exclude oedema. If the reviewer could not either, the eye is not a negative.
        rules.append((Outcome.REPEAT_IMAGING, Urgency.ROUTINE, 0, f"{name}_oedema_unknown"))
    return Decision(
        outcome=max((rule[0] for rule in rules), key=_OUTCOMES.index),
        urgency=max((rule[1] for rule in rules), key=_URGENCIES.index),
        recall_months=min(rule[2] for rule in rules),
        reasons=tuple(rule[3] for rule in rules),
    )


def _grade_rule(name: str, eye: EyeResult, grade: ICDRGrade) -> tuple[Outcome, Urgency, int, str]:
    if eye.retinopathy is None:
        return (*_BY_GRADE[grade], f"{name}_grade_{grade.value}")
    return (*_BY_RETINOPATHY[eye.scale][eye.retinopathy], f"{name}_scale_{eye.retinopathy.value}")


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

    Suspected macular oedema ranks as a referable eye does, because oedema is referred (ICO 2017, table 4).
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
