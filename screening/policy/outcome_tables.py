"""Outcome tables: rules that state which outcome, urgency and interval follow from what is found in one eye.

What is found is a set of codes: the grade in the table's scale, the macula, the visual acuity and earlier treatments of
the eye. A rule applies to an eye that has all codes of the rule; of all rules that apply, the most urgent values count.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from ml.vocabulary import ICDRGrade
from screening.policy.lesions import MAX_ACUITY_OF_RED_LESIONS
from screening.policy.scales import SCALES, GradingScale, Maculopathy, Retinopathy


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


MIN_REDUCED_LOGMAR = MAX_ACUITY_OF_RED_LESIONS
"""An acuity of 6/12 or worse is reduced (NHS England, Features-based grading outcomes guidance, 12 May 2025)."""
OBSERVABLE_MACULA = "scale_M1"
"""Of Scotland alone: in England M1 is suspected macular oedema."""
ACUITIES = ("acuity_reduced", "acuity_not_reduced", "acuity_unknown")
TREATMENTS = ("treated", "not_treated", "treatment_unknown")
"""Laser, injections or surgery of the eye before this visit."""
CHOOSABLE_URGENCIES: dict[Outcome, tuple[Urgency, ...]] = {
    Outcome.RESCREEN: (Urgency.ROUTINE,),
    Outcome.REFER: (Urgency.SOON, Urgency.IMMEDIATE),
    Outcome.REFER_URGENT: (Urgency.IMMEDIATE,),
}
"""Outcomes that a rule can have, with their urgencies. The others follow from fixed rules alone."""
Combination = tuple[str, ...]
"""Codes of one eye: grade, macula, acuity, treatment."""
N_CODES = 4
"""Of a graded eye; one more if its macula is observable."""


def grade_code(grade: ICDRGrade | Retinopathy) -> str:
    """The code of a grade: ``grade_2`` in ICDR, ``scale_R2L`` in another scale."""
    return f"grade_{grade.value}" if isinstance(grade, ICDRGrade) else f"scale_{grade.value}"


def oedema_code(oedema: MacularOedema) -> str:
    """The code of an answer for macular oedema: ``oedema_centre``."""
    return f"oedema_{oedema.value}"


def acuity_code(logmar: float | None) -> str:
    """The code of a visual acuity in logMAR; None: not known."""
    if logmar is None:
        return "acuity_unknown"
    return "acuity_reduced" if logmar >= MIN_REDUCED_LOGMAR else "acuity_not_reduced"


def treatment_code(is_treated: bool | None) -> str:
    """The code of earlier treatments of an eye; None: not known."""
    return "treatment_unknown" if is_treated is None else "treated" if is_treated else "not_treated"


def grades_of(scale: GradingScale) -> tuple[str, ...]:
    """Codes of the grades of a scale, mildest first."""
    return tuple(map(grade_code, ICDRGrade if scale is GradingScale.ICDR else SCALES[scale].icdr))


def maculae_of(scale: GradingScale) -> tuple[str, ...]:
    """Codes of the findings of the macula that a rule of this scale can name."""
    found = tuple(map(oedema_code, MacularOedema))
    return (*found, OBSERVABLE_MACULA) if scale is GradingScale.SCOTLAND else found


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRule:
    """What follows for an eye with these codes; an empty one stands for any. ``source`` is that of a default."""

    grade: str = ""
    macula: str = ""
    acuity: str = ""
    treatment: str = ""
    outcome: Outcome
    urgency: Urgency
    months: int
    source: str = ""

    @property
    def conditions(self) -> Combination:
        return tuple(code for code in (self.grade, self.macula, self.acuity, self.treatment) if code)

    @property
    def code(self) -> str:
        """Names the rule within its table: ``grade_2``, ``grade_0+acuity_reduced``, ``any``."""
        return "+".join(self.conditions) or "any"

    def applies_to(self, combination: Combination) -> bool:
        """Whether an eye with these codes has all codes of the rule."""
        return set(self.conditions) <= set(combination)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeTable:
    """The rules of one scale. The intervals of the whole patient are None if they are not used.

    ``negative_months``: after two screens in a row without retinopathy and macular oedema in both eyes.
    ``pregnancy_months``: the longest interval in pregnancy.
    """

    scale: GradingScale
    rules: tuple[OutcomeRule, ...]
    negative_months: int | None = None
    pregnancy_months: int | None = None


def combinations_of(scale: GradingScale) -> tuple[Combination, ...]:
    """Every combination of codes that one gradable eye can have in a scale."""
    oedema = [(oedema_code(one),) for one in MacularOedema]
    observable = [(*one, OBSERVABLE_MACULA) for one in oedema] if scale is GradingScale.SCOTLAND else []
    found = product(grades_of(scale), [*oedema, *observable], ACUITIES, TREATMENTS)
    return tuple((grade, *macula, acuity, treatment) for grade, macula, acuity, treatment in found)


def is_observable(scale: GradingScale, maculopathy: Maculopathy | None) -> bool:
    """Whether the macula is M1 of Scotland, observable maculopathy."""
    return scale is GradingScale.SCOTLAND and maculopathy is Maculopathy.M1
