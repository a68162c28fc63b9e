"""The lesions that a reader finds in one eye, and the ICDR grade and macular oedema that follow from them.

The rules are data: the page evaluates the same table. Sources: Wilkinson et al., Ophthalmology 2003 (ICDR scale, with
the 4-2-1 rule for severe non-proliferative retinopathy); ETDRS report 12, Ophthalmology 1991, as quoted in a table of
the Br J Ophthalmol (fibrous proliferation is a level of proliferative retinopathy); NHS England, Features-based
grading outcomes guidance, 12 May 2025; Scottish Diabetic Retinopathy Grading Scheme 2007 v1.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ml.vocabulary import ICDRGrade

WILKINSON_2003 = "Wilkinson et al. 2003"
ETDRS_12 = "ETDRS report 12, 1991"
NHS_2021 = "NHS grading definitions for referable disease, 27 August 2021"
NHS_2025 = "NHS features-based grading, 12 May 2025"
SCOTLAND_2007 = "Scottish grading scheme 2007"


class Lesion(StrEnum):
    """A structured finding. Its value is a number up to ``MAX_VALUES``; 0: not found."""

    MICROANEURYSMS = "microaneurysms"
    HAEMORRHAGES = "haemorrhages"
    HAEMORRHAGE_QUADRANTS = "haemorrhage_quadrants"
    """Quadrants with more than 20 intraretinal haemorrhages."""
    BLOT_HAEMORRHAGES = "blot_haemorrhages"
    """8 or more blot haemorrhages."""
    BLOT_HEMIFIELDS = "blot_hemifields"
    """Halves of the retina, above and below the line through fovea and disc, with 4 or more blot haemorrhages."""
    VENOUS_BEADING_QUADRANTS = "venous_beading_quadrants"
    IRMA = "irma"
    """Intraretinal microvascular abnormalities less than in ETDRS standard photograph 8A."""
    IRMA_QUADRANTS = "irma_quadrants"
    """Quadrants with prominent intraretinal microvascular abnormalities, as in ETDRS standard photograph 8A."""
    NEW_VESSELS_DISC = "new_vessels_disc"
    NEW_VESSELS_ELSEWHERE = "new_vessels_elsewhere"
    PRERETINAL_HAEMORRHAGE = "preretinal_haemorrhage"
    """Pre-retinal or vitreous haemorrhage."""
    FIBROSIS = "fibrosis"
    DETACHMENT = "detachment"
    HARD_EXUDATES = "hard_exudates"
    """1: over 2 disc diameters from the centre of the fovea; 2: within 2; 3: within 1."""
    EXUDATE_GROUP = "exudate_group"
    """A group of exudates within the macula."""
    MACULAR_RED_LESIONS = "macular_red_lesions"
    """Within 1 disc diameter of the centre of the fovea. 1: microaneurysm or haemorrhage; 2: blot haemorrhage."""
    COTTON_WOOL_SPOTS = "cotton_wool_spots"
    LASER_SCARS = "laser_scars"
    TREATED_STABLE = "treated_stable"
    """Proliferative retinopathy that was treated and is stable."""
    GLAUCOMA_SUSPECT = "glaucoma_suspect"
    AMD = "amd"
    HYPERTENSIVE = "hypertensive"
    VEIN_OCCLUSION = "vein_occlusion"
    NAEVUS = "naevus"
    OTHER_DISEASE = "other_disease"


OTHER_DISEASES = (
    Lesion.GLAUCOMA_SUSPECT,
    Lesion.AMD,
    Lesion.HYPERTENSIVE,
    Lesion.VEIN_OCCLUSION,
    Lesion.NAEVUS,
    Lesion.OTHER_DISEASE,
)
NOT_OF_THE_GRADE = {*OTHER_DISEASES, Lesion.LASER_SCARS, Lesion.TREATED_STABLE}
"""Findings from which no grade of the retinopathy follows."""
MAX_VALUES = {
    **dict.fromkeys(Lesion, 1),
    **dict.fromkeys((Lesion.HAEMORRHAGE_QUADRANTS, Lesion.VENOUS_BEADING_QUADRANTS, Lesion.IRMA_QUADRANTS), 4),
    Lesion.BLOT_HEMIFIELDS: 2,
    Lesion.HARD_EXUDATES: 3,
    Lesion.MACULAR_RED_LESIONS: 2,
}
Lesions = Mapping[Lesion, int]
"""The findings of one eye that are not 0."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``result`` follows if each lesion has at least the value that is needed."""

    result: str
    needs: tuple[tuple[Lesion, int], ...]
    source: str

    def applies(self, lesions: Lesions) -> bool:
        return all(lesions.get(lesion, 0) >= minimum for lesion, minimum in self.needs)


def rules(result: str, source: str, *lesions: Lesion | tuple[Lesion, int]) -> tuple[Rule, ...]:
    """One rule for each lesion, alone, with the value that is needed (1 if none is given)."""
    pairs = [lesion if isinstance(lesion, tuple) else (lesion, 1) for lesion in lesions]
    return tuple(Rule(result, (pair,), source) for pair in pairs)


PROLIFERATIVE_SIGNS = (Lesion.NEW_VESSELS_DISC, Lesion.NEW_VESSELS_ELSEWHERE, Lesion.PRERETINAL_HAEMORRHAGE)
ICDR_RULES: tuple[Rule, ...] = (
    *rules("4", WILKINSON_2003, *PROLIFERATIVE_SIGNS),
    *rules("4", ETDRS_12, Lesion.FIBROSIS, Lesion.DETACHMENT),
    *rules(
        "3",
        WILKINSON_2003,
        (Lesion.HAEMORRHAGE_QUADRANTS, 4),
        (Lesion.VENOUS_BEADING_QUADRANTS, 2),
        (Lesion.IRMA_QUADRANTS, 1),
    ),
    # more than microaneurysms alone
    *rules(
        "2",
        WILKINSON_2003,
        Lesion.HAEMORRHAGES,
        Lesion.HAEMORRHAGE_QUADRANTS,
        Lesion.BLOT_HAEMORRHAGES,
        Lesion.BLOT_HEMIFIELDS,
        (Lesion.MACULAR_RED_LESIONS, 2),
        Lesion.VENOUS_BEADING_QUADRANTS,
        Lesion.IRMA,
        Lesion.HARD_EXUDATES,
        Lesion.EXUDATE_GROUP,
        Lesion.COTTON_WOOL_SPOTS,
    ),
    *rules("1", WILKINSON_2003, Lesion.MICROANEURYSMS, Lesion.MACULAR_RED_LESIONS),
)
"""Most severe first: the first rule that applies decides."""

MACULAR_RULES = rules("suspected", NHS_2025, (Lesion.HARD_EXUDATES, 3), Lesion.EXUDATE_GROUP)
"""Signs of macular oedema that count at any visual acuity."""
MAX_ACUITY_OF_RED_LESIONS = 0.3
"""logMAR of 6/12: red lesions near the fovea count as maculopathy if the acuity is this or worse. Source: grades of the
English programme in J Diabetes Res 2015; 310239, table 1 (M1: with a best acuity of 6/12 or worse). No site can change
it."""


class MacularSigns(StrEnum):
    """What the lesions say about macular oedema. That the centre is involved never follows from a photograph."""

    NONE = "none"
    SUSPECTED = "suspected"
    ACUITY_NEEDED = "acuity_needed"
    """Red lesions near the fovea, and the visual acuity is not known."""


def first_rule(table: tuple[Rule, ...], lesions: Lesions) -> Rule | None:
    """The first rule that applies; None if none does."""
    return next((rule for rule in table if rule.applies(lesions)), None)


def icdr_grade(lesions: Lesions) -> ICDRGrade:
    """The ICDR grade that follows from the lesions; NONE without lesions of diabetic retinopathy."""
    rule = first_rule(ICDR_RULES, lesions)
    return ICDRGrade.NONE if rule is None else ICDRGrade(int(rule.result))


def not_of_the_grade(table: tuple[Rule, ...]) -> set[Lesion]:
    """Findings from which no grade follows by the rules of a scale: England has a grade of treated retinopathy."""
    return NOT_OF_THE_GRADE - {lesion for rule in table for lesion, _minimum in rule.needs}


def decides_grade(lesions: Lesions, table: tuple[Rule, ...] = ICDR_RULES) -> bool:
    """Whether a grade follows from the lesions by the rules of a scale."""
    return not not_of_the_grade(table).issuperset(lesions)


def macular_signs(lesions: Lesions, acuity_logmar: float | None) -> MacularSigns:
    """Signs of macular oedema: exudates within 1 disc diameter of the fovea or in a group, or red lesions there with
    an acuity of 6/12 or worse. ``acuity_logmar``: of the better of the corrected acuities; None if not known.
    """
    if first_rule(MACULAR_RULES, lesions) is not None:
        return MacularSigns.SUSPECTED
    if not lesions.get(Lesion.MACULAR_RED_LESIONS):
        return MacularSigns.NONE
    if acuity_logmar is None:
        return MacularSigns.ACUITY_NEEDED
    return MacularSigns.SUSPECTED if acuity_logmar >= MAX_ACUITY_OF_RED_LESIONS else MacularSigns.NONE


def cleaned_lesions(values: Mapping[str, object]) -> dict[Lesion, int]:
    """Findings that are not 0, from codes and numbers. Raises ValueError for an unknown code or value."""
    cleaned: dict[Lesion, int] = {}
    for code, value in values.items():
        lesion = Lesion(code)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_VALUES[lesion]:
            raise ValueError(f"{code} is a whole number from 0 to {MAX_VALUES[lesion]}.")
        if value:
            cleaned[lesion] = value
    return dict(sorted(cleaned.items()))
