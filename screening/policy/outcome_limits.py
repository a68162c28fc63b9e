"""Limits of outcome tables that no table can change, and the check of a table before it is stored.

ICDR and oedema: the longest follow-up of the ADA position statement 2017, table 4 (moderate: 6 to 9 months;
proliferative: 3; oedema not in the centre: 6; in the centre: 1 to 4). It allows 24 months without retinopathy, and 6
for severe retinopathy; here these are 12 and 3, as in the ICO Guidelines for Diabetic Eye Care for severe retinopathy
(under 3). England and Scotland: 12 months for R0 and R1, and 6 for R2 and M1 of Scotland, are of the programme; the
months of referred grades are a default of this project without a source (see ``default_outcomes``). No site can change
the limits.
"""

from dataclasses import dataclass
from enum import StrEnum

from screening.policy.outcome_tables import (
    ACUITIES,
    CHOOSABLE_URGENCIES,
    OBSERVABLE_MACULA,
    TREATMENTS,
    Combination,
    Outcome,
    OutcomeRule,
    OutcomeTable,
    Urgency,
    combinations_of,
    grades_of,
    maculae_of,
)
from screening.policy.scales import GradingScale

MIN_MONTHS = 1
"""Months of the shortest interval of a rule. Default of this project without a source: the shortest of the ADA position
statement 2017, table 4, is a month. No site can change it."""
MAX_RULES = 60
NEGATIVE_MONTHS_RANGE = (12, 24)
"""Months that a site can choose after two negative screens in a row. Source: NHS England, Diabetic eye screening
intervals extended for people at lowest risk, 6 October 2023 (every 2 years instead of every year). No site can change
the range."""
PREGNANCY_MONTHS_RANGE = (1, 3)
"""Months that a site can choose in pregnancy. Source: ADA position statement 2017 (every trimester). No site can
change the range."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The mildest outcome and urgency, and the longest interval, of an eye with a code."""

    outcome: Outcome
    urgency: Urgency
    max_months: int


_REFERRED = Outcome.REFER, Urgency.SOON
_URGENT = Outcome.REFER_URGENT, Urgency.IMMEDIATE
_RESCREENED = Outcome.RESCREEN, Urgency.ROUTINE
LIMITS: dict[GradingScale, dict[str, Limit]] = {
    GradingScale.ICDR: {
        "grade_0": Limit(*_RESCREENED, 12),
        "grade_1": Limit(*_RESCREENED, 12),
        "grade_2": Limit(*_REFERRED, 9),
        "grade_3": Limit(*_URGENT, 3),
        "grade_4": Limit(*_URGENT, 3),
    },
    GradingScale.ENGLAND: {
        "scale_R0": Limit(*_RESCREENED, 12),
        "scale_R1": Limit(*_RESCREENED, 12),
        "scale_R2L": Limit(*_REFERRED, 6),
        "scale_R2H": Limit(*_REFERRED, 6),
        "scale_R3A": Limit(*_URGENT, 3),
        "scale_R3S": Limit(*_REFERRED, 6),
    },
    GradingScale.SCOTLAND: {
        "scale_R0": Limit(*_RESCREENED, 12),
        "scale_R1": Limit(*_RESCREENED, 12),
        "scale_R2": Limit(*_RESCREENED, 6),
        "scale_R3": Limit(*_REFERRED, 6),
        "scale_R4": Limit(*_URGENT, 3),
    },
}
MACULA_LIMITS = {
    OBSERVABLE_MACULA: Limit(*_RESCREENED, 6),
    "oedema_suspected": Limit(*_REFERRED, 6),
    "oedema_not_centre": Limit(*_REFERRED, 6),
    "oedema_centre": Limit(*_URGENT, 4),
}
_OUTCOMES, _URGENCIES = list(Outcome), list(Urgency)


def limits_of(scale: GradingScale, combination: Combination) -> list[Limit]:
    """The limits of an eye with these codes; at least that of its grade."""
    known = LIMITS[scale] | MACULA_LIMITS
    return [known[code] for code in combination if code in known]


class ProblemKind(StrEnum):
    """Why a table cannot be stored."""

    UNKNOWN_CODE = "unknown_code"
    REPEATED_RULE = "repeated_rule"
    BAD_URGENCY = "bad_urgency"
    BAD_MONTHS = "bad_months"
    TOO_MANY = "too_many"
    NO_RULE = "no_rule"
    TOO_MILD = "too_mild"
    TOO_LONG = "too_long"
    NEGATIVE_MONTHS = "negative_months"
    PREGNANCY_MONTHS = "pregnancy_months"


@dataclass(frozen=True, slots=True)
class TableProblem:
    """A fault of a table: the rule or the combination of codes that it is about, and the limit that applies."""

    kind: ProblemKind
    codes: Combination = ()
    limit: Limit | None = None


def find_problems(table: OutcomeTable) -> list[TableProblem]:
    """Why the table cannot be stored; empty if it can.

    A table that passes has a rule for each combination that an eye can have, within the limits.
    """
    found = [*_rule_problems(table), *_interval_problems(table)]
    if found:
        return found
    return [problem for one in combinations_of(table.scale) for problem in _combination_problems(table, one)]


def _rule_problems(table: OutcomeTable) -> list[TableProblem]:
    found = []
    if len(table.rules) > MAX_RULES:
        found.append(TableProblem(ProblemKind.TOO_MANY))
    seen = set()
    for rule in table.rules:
        if not _has_known_codes(table.scale, rule):
            found.append(TableProblem(ProblemKind.UNKNOWN_CODE, rule.conditions))
        if rule.code in seen:
            found.append(TableProblem(ProblemKind.REPEATED_RULE, rule.conditions))
        seen.add(rule.code)
        if rule.urgency not in CHOOSABLE_URGENCIES.get(rule.outcome, ()):
            found.append(TableProblem(ProblemKind.BAD_URGENCY, rule.conditions))
        if rule.months < MIN_MONTHS:
            found.append(TableProblem(ProblemKind.BAD_MONTHS, rule.conditions))
    return found


def _has_known_codes(scale: GradingScale, rule: OutcomeRule) -> bool:
    known = {"grade": grades_of(scale), "macula": maculae_of(scale), "acuity": ACUITIES, "treatment": TREATMENTS}
    return all(getattr(rule, name) in ("", *codes) for name, codes in known.items())


def _interval_problems(table: OutcomeTable) -> list[TableProblem]:
    checks = (
        (ProblemKind.NEGATIVE_MONTHS, table.negative_months, NEGATIVE_MONTHS_RANGE),
        (ProblemKind.PREGNANCY_MONTHS, table.pregnancy_months, PREGNANCY_MONTHS_RANGE),
    )
    chosen = [(kind, months, limits) for kind, months, limits in checks if months is not None]
    return [TableProblem(kind) for kind, months, (low, high) in chosen if not low <= months <= high]


def _combination_problems(table: OutcomeTable, combination: Combination) -> list[TableProblem]:
    rules = [rule for rule in table.rules if rule.applies_to(combination)]
    if not rules:
        return [TableProblem(ProblemKind.NO_RULE, combination)]
    outcome = max((rule.outcome for rule in rules), key=_OUTCOMES.index)
    urgency = max((rule.urgency for rule in rules), key=_URGENCIES.index)
    months = min(rule.months for rule in rules)
    found = []
    for limit in limits_of(table.scale, combination):
        is_milder = _OUTCOMES.index(outcome) < _OUTCOMES.index(limit.outcome)
        if is_milder or _URGENCIES.index(urgency) < _URGENCIES.index(limit.urgency):
            found.append(TableProblem(ProblemKind.TOO_MILD, combination, limit))
        if months > limit.max_months:
            found.append(TableProblem(ProblemKind.TOO_LONG, combination, limit))
    return found
