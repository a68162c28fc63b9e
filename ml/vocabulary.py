"""Grades, laterality and quality reasons, shared by ``ml`` and ``screening``. Standard library only."""

from enum import IntEnum, StrEnum

N_GRADES = 5
REFERABLE_FROM = 2
"""First grade that needs a specialist: moderate NPDR. Source: ADA position statement 2017 (Solomon et al., Diabetes
Care), table 4. No site can change it."""
SIGHT_THREATENING_FROM = 3
"""First grade that threatens sight: severe NPDR. Source: the same table, which refers it immediately. No site can
change it."""


class ICDRGrade(IntEnum):
    """International Clinical Diabetic Retinopathy severity scale (Wilkinson et al., Ophthalmology 2003)."""

    NONE = 0
    MILD = 1
    MODERATE = 2
    SEVERE = 3
    PROLIFERATIVE = 4

    @property
    def is_referable(self) -> bool:
        return self >= REFERABLE_FROM

    @property
    def is_sight_threatening(self) -> bool:
        return self >= SIGHT_THREATENING_FROM


class ServedModel(StrEnum):
    """The two models that are served; ``ml/bundles/defaults.json`` names the bundle of each."""

    ACCURATE = "accurate"
    """The ResNet-50, for exams that people read."""
    FAST = "fast"
    """The distilled MobileNetV3-Small, for predictions, many photographs and small machines."""


class Laterality(StrEnum):
    """The patient's eye: OD (oculus dexter), OS (oculus sinister)."""

    RIGHT = "OD"
    LEFT = "OS"


class QualityLevel(StrEnum):
    """Image quality of a photograph, best first."""

    GOOD = "good"
    USABLE = "usable"
    """Usable with limits: it is graded, but small lesions could be missed, so that a negative is not clear."""
    UNGRADABLE = "ungradable"

    @property
    def is_gradable(self) -> bool:
        return self is not QualityLevel.UNGRADABLE


class QualityReason(StrEnum):
    """Codes of the reasons why a photograph is not of good quality; ``screening.labels`` has their texts."""

    NO_RETINA = "no_retina"
    TOO_SMALL = "too_small"
    BLURRED = "blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    LOW_CONTRAST = "low_contrast"
    FIELD_CUT = "field_cut"
    MACULA_NOT_VISIBLE = "macula_not_visible"
    TWO_EYES = "two_eyes"
    NOT_COLOR = "not_color"
    OTHER_FIELD = "other_field"
    NOT_A_PHOTOGRAPH = "not_a_photograph"
    LIGHT_BORDER = "light_border"
