"""Outcome tables in words: codes, rules, limits, and why a table is refused."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from screening.labels.grades import GRADE_LABELS
from screening.labels.reviews import MACULAR_OEDEMA_LABELS, OUTCOME_LABELS, URGENCY_LABELS
from screening.labels.scales import RETINOPATHY_LABELS
from screening.labels.sentences import joined, with_label, within_sentence
from screening.policy import (
    GradingScale,
    MacularOedema,
    Outcome,
    OutcomeTable,
    Retinopathy,
    Urgency,
    default_table,
)
from screening.policy.default_outcomes import ADA_PREGNANCY, NEGATIVE_MONTHS, NHS_LOW_RISK, PREGNANCY_MONTHS
from screening.policy.outcome_limits import (
    MAX_RULES,
    MIN_MONTHS,
    NEGATIVE_MONTHS_RANGE,
    PREGNANCY_MONTHS_RANGE,
    Limit,
    ProblemKind,
    TableProblem,
)
from screening.policy.outcome_tables import ACUITIES, N_CODES, OBSERVABLE_MACULA, TREATMENTS, Combination

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

FACT_LABELS: dict[str, "_StrPromise"] = {
    "acuity_reduced": gettext_lazy("Visual acuity 6/12 or worse"),
    "acuity_not_reduced": gettext_lazy("Visual acuity better than 6/12"),
    "acuity_unknown": gettext_lazy("Visual acuity not recorded"),
    "treated": gettext_lazy("Eye treated before"),
    "not_treated": gettext_lazy("Eye not treated before"),
    "treatment_unknown": gettext_lazy("Treatment of the eye not recorded"),
    OBSERVABLE_MACULA: gettext_lazy("Observable maculopathy (M1)"),
}
PATIENT_LABELS: dict[str, "_StrPromise"] = {
    "pregnant": gettext_lazy("Pregnancy"),
    "two_negatives": gettext_lazy("Two screens in a row without retinopathy and macular oedema in both eyes"),
}
FIXED_RULES: tuple["_StrPromise", ...] = (
    gettext_lazy("The worse eye decides."),
    gettext_lazy("An eye that is ungradable or not photographed is never negative: the photographs are taken again."),
    gettext_lazy("After 3 ungradable photographs or 2 visits such an eye is referred for slit-lamp examination."),
    gettext_lazy("If macular oedema could not be assessed, the eye is not negative: the photographs are taken again."),
    gettext_lazy("Pregnancy only shortens an interval, and two negative screens never lengthen it in pregnancy."),
    gettext_lazy("Outcome, urgency and interval of each finding stay within the limits of the sources."),
)
MAX_NAMED = 3


def code_label(scale: GradingScale, code: str) -> str:
    """One code in words."""
    if code in FACT_LABELS:
        return str(FACT_LABELS[code])
    kind, _underscore, value = code.partition("_")
    if kind == "grade":
        return str(GRADE_LABELS[int(value)])
    if kind == "scale":
        return with_label(value, RETINOPATHY_LABELS[scale][Retinopathy(value)])
    return _("Macular oedema: %(which)s") % {"which": macula_label(code)}


def macula_label(code: str) -> str:
    """The code of a macula in words, beside the name of the field."""
    if code in FACT_LABELS:
        return str(FACT_LABELS[code])
    return str(MACULAR_OEDEMA_LABELS[MacularOedema(code.removeprefix("oedema_"))])


def combination_text(scale: GradingScale, combination: Combination) -> str:
    """Codes in words: "Mild non-proliferative; macular oedema: none; visual acuity not recorded"."""
    first, *others = (code_label(scale, code) for code in combination) if combination else [_("Any finding")]
    return joined([first, *map(within_sentence, others)])


def result_text(outcome: Outcome, urgency: Urgency, months: int | None) -> str:
    """Outcome, urgency and interval in words: "Refer to a specialist, within 3 to 6 months; next screening after ..."

    The urgency of the other outcomes follows from their names.
    """
    label = str(OUTCOME_LABELS[outcome])
    if outcome is Outcome.REFER:
        label = f"{label}, {within_sentence(URGENCY_LABELS[urgency])}"
    return label if months is None else f"{label}; {months_text(months)}"


def months_text(months: int) -> str:
    """An interval in words."""
    if months == 0:
        return _("due at once")
    return ngettext("next screening after %(n)d month", "next screening after %(n)d months", months) % {"n": months}


def problem_texts(scale: GradingScale, problems: list[TableProblem]) -> list[str]:
    """Why a table is refused, one sentence for each kind of problem, with the first combinations it is about."""
    texts = []
    for kind in ProblemKind:
        found = [problem for problem in problems if problem.kind is kind]
        if found:
            texts.append(_problem_text(scale, kind, found))
    return texts


def limit_text(limits: list[Limit]) -> str:
    """What a table can choose for a finding with these limits; empty without any."""
    if not limits:
        return ""
    mildest = max((limit.outcome for limit in limits), key=list(Outcome).index)
    months = min(limit.max_months for limit in limits)
    text = ngettext(
        "Limits: %(outcome)s, or a more urgent outcome; %(min_months)d to %(months)d month.",
        "Limits: %(outcome)s, or a more urgent outcome; %(min_months)d to %(months)d months.",
        months,
    )
    if mildest is Outcome.REFER_URGENT:
        text = ngettext(
            "Limits: %(outcome)s; %(min_months)d to %(months)d month.",
            "Limits: %(outcome)s; %(min_months)d to %(months)d months.",
            months,
        )
    return text % {"outcome": OUTCOME_LABELS[mildest], "months": months, "min_months": MIN_MONTHS}


def merged(combinations: list[Combination]) -> list[Combination]:
    """Combinations of an eye without visual acuity and treatment if all of these are among them."""
    n_facts = len(ACUITIES) * len(TREATMENTS)
    counts = Counter(one[:-2] for one in combinations if len(one) >= N_CODES)
    return list(dict.fromkeys(one[:-2] if counts[one[:-2]] == n_facts else one for one in combinations))


def _problem_text(scale: GradingScale, kind: ProblemKind, problems: list[TableProblem]) -> str:
    combinations = merged([problem.codes for problem in problems])
    named = " / ".join(combination_text(scale, codes) for codes in combinations[:MAX_NAMED])
    n_more = len(combinations) - MAX_NAMED
    if n_more > 0:
        text = ngettext("%(named)s and %(n)d more combination", "%(named)s and %(n)d more combinations", n_more)
        named = text % {"named": named, "n": n_more}
    limits = [problem.limit for problem in problems if problem.limit is not None]
    values = {
        "found": named,
        "max_rules": MAX_RULES,
        "min_months": MIN_MONTHS,
        "limit": _limit(kind, limits),
        "negative": _range_text(*NEGATIVE_MONTHS_RANGE),
        "pregnancy": _range_text(*PREGNANCY_MONTHS_RANGE),
    }
    return _PROBLEMS[kind] % values


def _range_text(low: int, high: int) -> str:
    return _("%(low)d to %(high)d") % {"low": low, "high": high}


def _limit(kind: ProblemKind, limits: list["Limit"]) -> str | int:
    if not limits:
        return ""
    if kind is ProblemKind.TOO_LONG:
        return min(limit.max_months for limit in limits)
    return result_text(limits[0].outcome, limits[0].urgency, None)


_PROBLEMS: dict[ProblemKind, "_StrPromise"] = {
    ProblemKind.UNKNOWN_CODE: gettext_lazy(
        "This rule names a finding that the scale of the site does not have: %(found)s. Choose another one."
    ),
    ProblemKind.REPEATED_RULE: gettext_lazy("There are two rules for: %(found)s. Remove one of them."),
    ProblemKind.BAD_URGENCY: gettext_lazy(
        "The urgency does not fit the outcome of the rule for: %(found)s. Screening again is routine, a referral is "
        "within 3 to 6 months or immediate, a referral at once is immediate."
    ),
    ProblemKind.BAD_MONTHS: ngettext_lazy(
        "The interval of the rule for %(found)s is shorter than %(min_months)d month. Enter a longer one.",
        "The interval of the rule for %(found)s is shorter than %(min_months)d months. Enter a longer one.",
        "min_months",
    ),
    ProblemKind.TOO_MANY: ngettext_lazy(
        "A table has at most %(max_rules)d rule. Remove some.",
        "A table has at most %(max_rules)d rules. Remove some.",
        "max_rules",
    ),
    ProblemKind.NO_RULE: gettext_lazy("There is no rule for: %(found)s. Add a rule that covers it."),
    ProblemKind.TOO_MILD: gettext_lazy(
        "The outcome is milder than the limit (%(limit)s) for: %(found)s. Choose that one or a more urgent one."
    ),
    ProblemKind.TOO_LONG: ngettext_lazy(
        "The interval is longer than the limit of %(limit)s month for: %(found)s. Enter a shorter one.",
        "The interval is longer than the limit of %(limit)s months for: %(found)s. Enter a shorter one.",
        "limit",
    ),
    ProblemKind.NEGATIVE_MONTHS: gettext_lazy(
        "The interval after two negative screens in a row is %(negative)s months."
    ),
    ProblemKind.PREGNANCY_MONTHS: gettext_lazy("The interval in pregnancy is %(pregnancy)s months."),
}


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One line of a table in words. ``default`` is what the built-in table has, if that is something else."""

    found: str
    result: str
    source: str
    default: str = ""


def rule_lines(table: OutcomeTable) -> list[RuleLine]:
    """The rules of a table in words, then the intervals of the whole patient, each with its source."""
    defaults = {rule.code: rule for rule in default_table(table.scale).rules}
    lines = []
    for rule in table.rules:
        known = defaults.get(rule.code)
        result = result_text(rule.outcome, rule.urgency, rule.months)
        default = "" if known is None else result_text(known.outcome, known.urgency, known.months)
        lines.append(
            RuleLine(
                found=combination_text(table.scale, rule.conditions),
                result=result,
                source=_("Rule of this site") if known is None else known.source,
                default="" if default == result else default,
            )
        )
    return [*lines, *_patient_lines(table)]


def _patient_lines(table: OutcomeTable) -> list[RuleLine]:
    negative, pregnant = table.negative_months, table.pregnancy_months
    as_usual = _("as after one screen")
    return [
        RuleLine(
            found=str(PATIENT_LABELS["two_negatives"]),
            result=as_usual if negative is None else months_text(negative),
            source=NHS_LOW_RISK if negative == NEGATIVE_MONTHS else _nhs_text(NEGATIVE_MONTHS),
        ),
        RuleLine(
            found=str(PATIENT_LABELS["pregnant"]),
            result=_("as without pregnancy") if pregnant is None else _at_most_text(pregnant),
            source=ADA_PREGNANCY,
            default="" if pregnant == PREGNANCY_MONTHS else _at_most_text(PREGNANCY_MONTHS),
        ),
    ]


def _nhs_text(months: int) -> str:
    return ngettext("NHS: %(n)d month", "NHS: %(n)d months", months) % {"n": months}


def _at_most_text(months: int) -> str:
    return ngettext("at most %(n)d month", "at most %(n)d months", months) % {"n": months}


@dataclass(frozen=True, slots=True)
class Difference:
    """What two tables state for the same finding; empty: no rule."""

    found: str
    before: str
    after: str


def table_differences(before: OutcomeTable, after: OutcomeTable) -> list[Difference]:
    """The lines in which two tables of a scale differ, in words."""
    old, new = ({line.found: line.result for line in rule_lines(table)} for table in (before, after))
    names = dict.fromkeys([*new, *old])
    pairs = [Difference(name, old.get(name, ""), new.get(name, "")) for name in names]
    return [one for one in pairs if one.before != one.after]
