"""Quality of a photograph: its level, why it is not good, and what the photographer can do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from django.utils.translation import gettext_lazy as _

from ml.vocabulary import QualityLevel, QualityReason
from screening.labels.choices import choices

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


QUALITY_LEVEL_LABELS: dict[QualityLevel, "_StrPromise"] = {
    QualityLevel.GOOD: _("Good"),
    QualityLevel.USABLE: _("Usable with limits"),
    QualityLevel.UNGRADABLE: _("Not gradable"),
}
QUALITY_LEVEL_CHOICES = choices(QUALITY_LEVEL_LABELS)

LIMITATION = _("Small lesions could be missed: the photograph is only usable with limits. A person must read it.")
"""Beside each negative result of such a photograph."""


@dataclass(frozen=True, slots=True)
class QualityAdvice:
    """What is wrong with a photograph, and what to do before the next one."""

    problem: "_StrPromise"
    advice: "_StrPromise"


QUALITY_ADVICE: dict[QualityReason, QualityAdvice] = {
    QualityReason.NO_RETINA: QualityAdvice(
        _("No retina was found in this photograph."),
        _("Check the chosen file. If it is right, align the camera with the pupil until the optic disc is visible."),
    ),
    QualityReason.TOO_SMALL: QualityAdvice(
        _("The photograph has too few pixels."),
        _("Send the camera's original file, not a screenshot, a thumbnail or a copy from a message."),
    ),
    QualityReason.BLURRED: QualityAdvice(
        _("The photograph is out of focus."),
        _("Refocus on the vessels at the optic disc, ask the patient to blink and hold still, and take it again."),
    ),
    QualityReason.TOO_DARK: QualityAdvice(
        _("The photograph is too dark."),
        _("Raise the flash by one step. If the pupil is small, wait five minutes in the dark or ask about drops."),
    ),
    QualityReason.TOO_BRIGHT: QualityAdvice(
        _("The photograph is too bright."),
        _("Lower the flash by one step, keep stray light out and check the working distance."),
    ),
    QualityReason.LOW_CONTRAST: QualityAdvice(
        _("The photograph is hazy; vessels are hardly visible."),
        _("Clean the lens and check the working distance. If it stays hazy, note a cataract or another opacity."),
    ),
    QualityReason.FIELD_CUT: QualityAdvice(
        _("Too much of the retina is cut off or in shadow."),
        _("Centre the pupil, lift the lid, and ask the patient to look at the fixation light."),
    ),
    QualityReason.TWO_EYES: QualityAdvice(
        _("There are two eyes in one picture, or two pictures of one."),
        _("Send one photograph for each eye."),
    ),
    QualityReason.NOT_COLOR: QualityAdvice(
        _("This is not a colour photograph of a retina."),
        _("Send the colour original of the camera: not red-free, autofluorescence or angiography, no changed colours."),
    ),
    QualityReason.OTHER_FIELD: QualityAdvice(
        _("This is not a 45 degree photograph."),
        _("Send a photograph of the macula with a 45 degree camera: no ultra-wide field, no montage, no OCT scan."),
    ),
    QualityReason.NOT_A_PHOTOGRAPH: QualityAdvice(
        _("This is a page or a screenshot, not a photograph."),
        _("Export the photograph itself from the camera's software."),
    ),
    QualityReason.LIGHT_BORDER: QualityAdvice(
        _("The surroundings of the retina are not black, and its edge was not found."),
        _("Export the photograph without a border, or with a black one."),
    ),
    QualityReason.MACULA_NOT_VISIBLE: QualityAdvice(
        _("The macula is not visible: glare or shadow lies over it. Macular oedema cannot be assessed."),
        _("Centre the pupil, keep stray light out, check the working distance, and take it again."),
    ),
}

FALLBACK = QualityAdvice(
    _("The photograph is not clear enough."),
    _("Take it again. After three attempts, submit the exam: the eye is then examined at the slit lamp."),
)


class _Negative(Protocol):
    @property
    def is_limited_negative(self) -> bool: ...


def limitation_of(result: _Negative) -> str:
    """LIMITATION of a Grading or a Prediction if it is a limited negative, else empty."""
    return str(LIMITATION) if result.is_limited_negative else ""


def advice_for(reasons: Iterable[str]) -> list[QualityAdvice]:
    """Advice for each of ``quality_reasons``; FALLBACK for an unknown code, or for none."""
    known = {reason.value: advice for reason, advice in QUALITY_ADVICE.items()}
    return list(dict.fromkeys(known.get(reason, FALLBACK) for reason in reasons)) or [FALLBACK]
