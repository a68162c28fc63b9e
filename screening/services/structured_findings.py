"""Structured findings of an eye: their checks, and what follows from them for the grade."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from ml.vocabulary import ICDRGrade, Laterality
from screening.labels.lesions import UngradableReason
from screening.policy import GradingScale, MacularOedema, Maculopathy, Photocoagulation, Retinopathy
from screening.policy.acuity import Correction
from screening.policy.landmarks import Landmarks, landmark_values
from screening.policy.lesions import ICDR_RULES, Lesion, MacularSigns, decides_grade, icdr_grade, macular_signs
from screening.policy.marks import Mark
from screening.policy.scales import SCALES, icdr_of, maculopathy_grade, photocoagulation_grade, retinopathy_grade
from screening.services.exams import ExamError


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuredFindings:
    """What a reader found in one eye beside grade and macular oedema: the columns of ``models.StructuredFindings``."""

    lesions: Mapping[Lesion, int] = field(default_factory=dict)
    other_disease: str = ""
    ungradable_reason: UngradableReason | None = None
    retinopathy: Retinopathy | None = None
    maculopathy: Maculopathy | None = None
    photocoagulation: Photocoagulation | None = None
    contradiction_reason: str = ""
    landmarks: Mapping[UUID, Landmarks] = field(default_factory=dict)

    def columns(self) -> dict[str, Any]:
        """Values of the columns."""
        return {
            "lesions": {lesion.value: value for lesion, value in self.lesions.items()},
            "other_disease": self.other_disease.strip(),
            "ungradable_reason": self.ungradable_reason or "",
            "retinopathy": self.retinopathy or "",
            "maculopathy": self.maculopathy or "",
            "photocoagulation": self.photocoagulation or "",
            "contradiction_reason": self.contradiction_reason.strip(),
            "landmarks": landmark_values(self.landmarks),
        }

    def texts(self) -> dict[str, str]:
        """The texts that a reader enters, by column."""
        columns = self.columns()
        return {name: columns[name] for name in ("other_disease", "contradiction_reason")}


COLUMNS = tuple(StructuredFindings().columns())


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A reviewer's finding for one eye. ``changed_reason``: why it differs from the first reading. ``acuity``: the
    visual acuity, if the reader entered one. ``marks``: on the photographs of this eye.

    An eye without a photograph has either ``is_photographed=False`` or an ``absent_reason``, and no grade.
    """

    laterality: Laterality
    is_photographed: bool = True
    absent_reason: str = ""
    is_gradable: bool = True
    grade: ICDRGrade | None = None
    macular_oedema: MacularOedema = MacularOedema.UNKNOWN
    changed_reason: str = ""
    acuity: str = ""
    acuity_correction: Correction | None = None
    structured: StructuredFindings = field(default_factory=StructuredFindings)
    marks: tuple[Mark, ...] = ()


class ReviewError(ExamError):
    """The review cannot be signed. ``laterality`` is the eye that the message is about, if any."""

    def __init__(self, message: str, laterality: Laterality | None = None) -> None:
        super().__init__(message)
        self.laterality = laterality


def in_scale(finding: Finding, scale: GradingScale) -> Finding:
    """The finding with its ICDR grade and grade of photocoagulation, which follow from the rest in the site's scale.

    Raises ReviewError if a grade of that scale is missing, or the lesions do not tell which ICDR grade it is.
    """
    found = finding.structured
    if scale is GradingScale.ICDR:
        if found.retinopathy or found.maculopathy:
            raise ReviewError(_("This site grades in the ICDR scale now. Reload the page."), finding.laterality)
        return finding
    if not finding.is_gradable:
        return finding
    if found.retinopathy not in SCALES[scale].icdr or (
        found.maculopathy not in SCALES[scale].maculopathy and finding.macular_oedema is not MacularOedema.UNKNOWN
    ):
        raise ReviewError(
            _("Choose a grade of the scale of this site. If you see none, reload the page."), finding.laterality
        )
    grade = icdr_of(scale, found.retinopathy, found.lesions)
    if grade is None:
        raise ReviewError(
            _("Tick the lesions that you see: this grade can be two different ICDR grades."), finding.laterality
        )
    photocoagulation = photocoagulation_grade(scale, found.lesions)
    return replace(finding, grade=grade, structured=replace(found, photocoagulation=photocoagulation))


def require_agreement(finding: Finding, scale: GradingScale, acuity_logmar: float | None) -> None:
    """Raises ReviewError if the grade contradicts the lesions without a reason, or they need the visual acuity."""
    found, eye = finding.structured, finding.laterality
    if found.lesions.get(Lesion.OTHER_DISEASE) and not found.other_disease.strip():
        raise ReviewError(_("Enter which other disease you see."), eye)
    if found.ungradable_reason and finding.is_gradable:
        raise ReviewError(_("An eye with a grade has no reason for being ungradable."), eye)
    if not finding.is_gradable:
        return
    if needs_acuity(finding, scale, acuity_logmar):
        raise ReviewError(
            _(
                "There is a red lesion within 1 disc diameter of the fovea. Enter the visual acuity of this eye, or "
                "choose “Cannot tell” for the macula."
            ),
            eye,
        )
    if contradicts(finding, scale, acuity_logmar) and not found.contradiction_reason.strip():
        raise ReviewError(_("Your grade is not the one that follows from the lesions. Enter the reason."), eye)


def needs_acuity(finding: Finding, scale: GradingScale, acuity_logmar: float | None) -> bool:
    """Whether a negative answer for the macula depends on a visual acuity that is not known."""
    if scale is GradingScale.SCOTLAND or finding.macular_oedema is not MacularOedema.NONE:
        return False
    return macular_signs(finding.structured.lesions, acuity_logmar) is MacularSigns.ACUITY_NEEDED


def contradicts(finding: Finding, scale: GradingScale, acuity_logmar: float | None) -> bool:
    """Whether grade or macular oedema are not those that follow from the lesions; never without lesions."""
    found = finding.structured
    if not decides_grade(found.lesions, ICDR_RULES if scale is GradingScale.ICDR else SCALES[scale].rules):
        return False
    if scale is GradingScale.ICDR:
        is_other_grade = finding.grade != icdr_grade(found.lesions)
        signs = macular_signs(found.lesions, acuity_logmar)
        return is_other_grade or (signs is MacularSigns.SUSPECTED and finding.macular_oedema is MacularOedema.NONE)
    derived = maculopathy_grade(scale, found.lesions, acuity_logmar)
    is_other_macula = found.maculopathy is not None and derived is not None and found.maculopathy < derived
    return found.retinopathy != retinopathy_grade(scale, found.lesions) or is_other_macula
