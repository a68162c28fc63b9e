"""Quality reasons: why a photograph cannot be graded, and what the photographer can do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from ml.vocabulary import QualityReason

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


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
}

FALLBACK = QualityAdvice(
    _("The photograph is not clear enough to grade."),
    _("Take it again. After three attempts, submit the exam: the eye is then examined at the slit lamp."),
)


def advice_for(reasons: Iterable[str]) -> list[QualityAdvice]:
    """Advice for each of ``quality_reasons``; FALLBACK for an unknown code, or for none."""
    known = {reason.value: advice for reason, advice in QUALITY_ADVICE.items()}
    return list(dict.fromkeys(known.get(reason, FALLBACK) for reason in reasons)) or [FALLBACK]
