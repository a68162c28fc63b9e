"""Grading scales beside ICDR: those of England and Scotland, what follows from their grades, and the ICDR grades
that each can be.

Sources: NHS England, Features-based grading outcomes guidance, 12 May 2025, and Diabetic eye screening pathway
overviews; NHS Diabetic Eye Screening Programme, Grading definitions for referable disease, 27 August 2021, section 1.5
(photocoagulation scars: a grade apart from retinopathy and maculopathy); Scottish Diabetic Retinopathy Grading Scheme
2007 v1.1 (rescreening after 6 months for R2 and M1). "Digital surveillance" of England is a referral within 3 to 6
months here.
"""

from dataclasses import dataclass
from enum import StrEnum

from ml.vocabulary import ICDRGrade
from screening.policy.lesions import (
    ETDRS_12,
    NHS_2021,
    NHS_2025,
    PROLIFERATIVE_SIGNS,
    SCOTLAND_2007,
    Lesion,
    Lesions,
    MacularSigns,
    Rule,
    first_rule,
    icdr_grade,
    macular_signs,
    rules,
)


class GradingScale(StrEnum):
    """The scale that a site grades in."""

    ICDR = "icdr"
    ENGLAND = "england"
    SCOTLAND = "scotland"


class Retinopathy(StrEnum):
    """Grades of retinopathy in the scales of England and Scotland."""

    R0 = "R0"
    R1 = "R1"
    R2 = "R2"
    R2L = "R2L"
    R2H = "R2H"
    R3 = "R3"
    R3S = "R3S"
    R3A = "R3A"
    R4 = "R4"


class Maculopathy(StrEnum):
    """Grades of maculopathy. England has M0 and M1, Scotland M0, M1 (observable) and M2 (referable)."""

    M0 = "M0"
    M1 = "M1"
    M2 = "M2"


class Photocoagulation(StrEnum):
    """Grades of photocoagulation in England. P1: scars of focal or grid laser at the macula, or of peripheral laser."""

    P0 = "P0"
    P1 = "P1"


NONE, MILD, MODERATE, SEVERE, PROLIFERATIVE = ICDRGrade


@dataclass(frozen=True, slots=True)
class Scale:
    """``icdr``: the ICDR grades that each grade can be, mildest first. Rules: most severe first.

    ``photocoagulation`` is empty in a scale without grades of it.
    """

    icdr: dict[Retinopathy, tuple[ICDRGrade, ...]]
    maculopathy: tuple[Maculopathy, ...]
    rules: tuple[Rule, ...]
    macular_rules: tuple[Rule, ...]
    photocoagulation: tuple[Photocoagulation, ...] = ()
    photocoagulation_rules: tuple[Rule, ...] = ()


ENGLAND = Scale(
    icdr={
        Retinopathy.R0: (NONE,),
        Retinopathy.R1: (MILD, MODERATE),
        Retinopathy.R2L: (MODERATE,),
        Retinopathy.R2H: (SEVERE,),
        Retinopathy.R3A: (PROLIFERATIVE,),
        Retinopathy.R3S: (PROLIFERATIVE,),
    },
    maculopathy=(Maculopathy.M0, Maculopathy.M1),
    macular_rules=rules("M1", NHS_2025, (Lesion.HARD_EXUDATES, 3), Lesion.EXUDATE_GROUP),
    photocoagulation=(Photocoagulation.P0, Photocoagulation.P1),
    photocoagulation_rules=rules("P1", NHS_2021, Lesion.LASER_SCARS),
    rules=(
        *rules("R3A", NHS_2025, *PROLIFERATIVE_SIGNS),
        *rules("R3S", NHS_2025, Lesion.TREATED_STABLE),
        *rules("R3A", NHS_2025, Lesion.FIBROSIS, Lesion.DETACHMENT),
        *rules(
            "R2H",
            NHS_2025,
            (Lesion.VENOUS_BEADING_QUADRANTS, 2),
            (Lesion.HAEMORRHAGE_QUADRANTS, 4),
            Lesion.IRMA_QUADRANTS,
        ),
        *rules(
            "R2L",
            NHS_2025,
            Lesion.VENOUS_BEADING_QUADRANTS,
            Lesion.BLOT_HAEMORRHAGES,
            Lesion.IRMA,
            Lesion.HAEMORRHAGE_QUADRANTS,
        ),
        *rules(
            "R1",
            NHS_2025,
            Lesion.MICROANEURYSMS,
            Lesion.HAEMORRHAGES,
            Lesion.BLOT_HEMIFIELDS,
            Lesion.MACULAR_RED_LESIONS,
        ),
    ),
)
"""Isolated cotton-wool spots, and exudates without another feature, are R0."""
SCOTLAND = Scale(
    icdr={
        Retinopathy.R0: (NONE,),
        Retinopathy.R1: (MILD, MODERATE),
        Retinopathy.R2: (MODERATE,),
        Retinopathy.R3: (MODERATE, SEVERE),
        Retinopathy.R4: (PROLIFERATIVE,),
    },
    maculopathy=(Maculopathy.M0, Maculopathy.M1, Maculopathy.M2),
    macular_rules=(
        *rules("M2", SCOTLAND_2007, (Lesion.HARD_EXUDATES, 3), (Lesion.MACULAR_RED_LESIONS, 2)),
        *rules("M1", SCOTLAND_2007, (Lesion.HARD_EXUDATES, 2)),
    ),
    rules=(
        *rules("R4", SCOTLAND_2007, *PROLIFERATIVE_SIGNS),
        *rules("R4", ETDRS_12, Lesion.FIBROSIS, Lesion.DETACHMENT),
        *rules(
            "R3",
            SCOTLAND_2007,
            (Lesion.BLOT_HEMIFIELDS, 2),
            Lesion.VENOUS_BEADING_QUADRANTS,
            Lesion.IRMA,
            Lesion.IRMA_QUADRANTS,
        ),
        *rules("R2", SCOTLAND_2007, Lesion.BLOT_HEMIFIELDS),
        *rules(
            "R1",
            SCOTLAND_2007,
            Lesion.MICROANEURYSMS,
            Lesion.HAEMORRHAGES,
            Lesion.HAEMORRHAGE_QUADRANTS,
            Lesion.BLOT_HAEMORRHAGES,
            Lesion.MACULAR_RED_LESIONS,
            Lesion.HARD_EXUDATES,
            Lesion.EXUDATE_GROUP,
            Lesion.COTTON_WOOL_SPOTS,
        ),
    ),
)
SCALES = {GradingScale.ENGLAND: ENGLAND, GradingScale.SCOTLAND: SCOTLAND}


def retinopathy_grade(scale: GradingScale, lesions: Lesions) -> Retinopathy:
    """The grade that follows from the lesions. Raises KeyError for ICDR, which is no scale of this kind."""
    rule = first_rule(SCALES[scale].rules, lesions)
    return Retinopathy.R0 if rule is None else Retinopathy(rule.result)


def maculopathy_grade(scale: GradingScale, lesions: Lesions, acuity_logmar: float | None) -> Maculopathy | None:
    """The grade that follows from the lesions; None if it needs the visual acuity."""
    rule = first_rule(SCALES[scale].macular_rules, lesions)
    if rule is not None:
        return Maculopathy(rule.result)
    if scale is GradingScale.SCOTLAND:
        return Maculopathy.M0
    signs = macular_signs(lesions, acuity_logmar)
    if signs is MacularSigns.ACUITY_NEEDED:
        return None
    return Maculopathy.M1 if signs is MacularSigns.SUSPECTED else Maculopathy.M0


def photocoagulation_grade(scale: GradingScale, lesions: Lesions) -> Photocoagulation | None:
    """The grade that follows from the lesions; None in a scale without grades of photocoagulation."""
    if not SCALES[scale].photocoagulation:
        return None
    rule = first_rule(SCALES[scale].photocoagulation_rules, lesions)
    return Photocoagulation.P0 if rule is None else Photocoagulation(rule.result)


def icdr_of(scale: GradingScale, grade: Retinopathy, lesions: Lesions) -> ICDRGrade | None:
    """The ICDR grade of a grade of another scale, for statistics: of those it can be, the nearest to that of the
    lesions. None if it can be several and no lesion is known that decides.
    """
    possible = SCALES[scale].icdr[grade]
    if len(possible) == 1:
        return possible[0]
    derived = icdr_grade(lesions)
    return None if derived is NONE else min(possible, key=lambda one: abs(one - derived))
