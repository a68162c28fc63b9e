"""The rules for outcomes as they were in the program before they became tables: what the first version must equal."""

from dataclasses import dataclass

from ml.vocabulary import ICDRGrade
from screening.policy import EyeResult, GradingScale, MacularOedema, Maculopathy, Outcome, Retinopathy, Urgency

MAX_ATTEMPTS, MAX_VISITS = 3, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierDecision:
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
_SCOTTISH_M1 = (Outcome.RESCREEN, Urgency.ROUTINE, 6)
_BY_OEDEMA = {
    MacularOedema.SUSPECTED: (Outcome.REFER, Urgency.SOON, 6),
    MacularOedema.NOT_CENTRE: (Outcome.REFER, Urgency.SOON, 6),
    MacularOedema.CENTRE: (Outcome.REFER_URGENT, Urgency.IMMEDIATE, 1),
}
_OUTCOMES = list(Outcome)
_URGENCIES = list(Urgency)


def earlier_outcome(right: EyeResult, left: EyeResult) -> EarlierDecision:
    present = [(name, eye) for name, eye in (("right", right), ("left", left)) if not eye.is_absent]
    if not present:
        raise ValueError("Both eyes are absent: there is nothing to decide.")
    decisions = [_decide_eye(name, eye) for name, eye in present]
    months = [decision.recall_months for decision in decisions if decision.recall_months is not None]
    outcome = max((decision.outcome for decision in decisions), key=_OUTCOMES.index)
    is_referred = outcome in {Outcome.REFER, Outcome.REFER_URGENT}
    # A referred patient's other eye is examined by the specialist; "photograph again now" would only delay that.
    months = [month for month in months if month > 0] if is_referred else months
    return EarlierDecision(
        outcome=outcome,
        urgency=max((decision.urgency for decision in decisions), key=_URGENCIES.index),
        recall_months=None if outcome is Outcome.REFER_SLIT_LAMP else min(months, default=None),
        reasons=tuple(reason for decision in decisions for reason in decision.reasons),
    )


def _decide_eye(name: str, eye: EyeResult) -> EarlierDecision:
    if eye.grade is None:
        is_unobtainable = eye.n_attempts >= MAX_ATTEMPTS or eye.n_visits >= MAX_VISITS
        outcome = Outcome.REFER_SLIT_LAMP if is_unobtainable else Outcome.REPEAT_IMAGING
        urgency = Urgency.SOON if is_unobtainable else Urgency.ROUTINE
        return EarlierDecision(
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
    return EarlierDecision(
        outcome=max((rule[0] for rule in rules), key=_OUTCOMES.index),
        urgency=max((rule[1] for rule in rules), key=_URGENCIES.index),
        recall_months=min(rule[2] for rule in rules),
        reasons=tuple(rule[3] for rule in rules),
    )


def _grade_rule(name: str, eye: EyeResult, grade: ICDRGrade) -> tuple[Outcome, Urgency, int, str]:
    if eye.retinopathy is None:
        return (*_BY_GRADE[grade], f"{name}_grade_{grade.value}")
    return (*_BY_RETINOPATHY[eye.scale][eye.retinopathy], f"{name}_scale_{eye.retinopathy.value}")
