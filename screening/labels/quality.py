"""Why a photograph cannot be graded, and what the photographer does about it, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from ml.vocabulary import QualityReason

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class Remedy:
    """One quality problem: ``problem`` says what is wrong, ``advice`` what to do before the next shot."""

    problem: "_StrPromise"
    advice: "_StrPromise"


REMEDIES: dict[QualityReason, Remedy] = {
    QualityReason.NO_RETINA: Remedy(
        _("No retina was found in this picture."),
        _("Check that the right file was chosen. Otherwise align the camera with the pupil until the disc shows."),
    ),
    QualityReason.TOO_SMALL: Remedy(
        _("The picture has too few pixels."),
        _("Send the camera's original file, not a screenshot, a thumbnail or a copy from a message."),
    ),
    QualityReason.BLURRED: Remedy(
        _("The photograph is out of focus."),
        _("Refocus on the vessels at the disc, ask the patient to blink and hold still, and take it again."),
    ),
    QualityReason.TOO_DARK: Remedy(
        _("The photograph is too dark."),
        _("Raise the flash by one step. If the pupil is small, wait five minutes in the dark or ask about drops."),
    ),
    QualityReason.TOO_BRIGHT: Remedy(
        _("The photograph is too bright."),
        _("Lower the flash by one step, keep stray light out and check the working distance."),
    ),
    QualityReason.LOW_CONTRAST: Remedy(
        _("The photograph is hazy, vessels hardly show."),
        _("Clean the lens and check the working distance. If it stays hazy, note a cataract or another opacity."),
    ),
    QualityReason.FIELD_CUT: Remedy(
        _("Too much of the retina is cut off or in shadow."),
        _("Centre the pupil, lift the lid, and ask the patient to look at the fixation light."),
    ),
}

UNNAMED = Remedy(
    _("The photograph is not clear enough to grade."),
    _("Take it again. After three attempts, submit the exam: the eye is then examined at the slit lamp."),
)


def remedies_for(reasons: Iterable[str]) -> list[Remedy]:
    """Say what to do for each machine word of ``quality_reasons``; a word this release does not know is not hidden."""
    known = {reason.value: remedy for reason, remedy in REMEDIES.items()}
    return list(dict.fromkeys(known.get(reason, UNNAMED) for reason in reasons)) or [UNNAMED]
