"""Labels of the structured findings of an eye."""

from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from screening.labels.choices import choices
from screening.labels.sentences import with_label
from screening.policy.lesions import Lesion

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class UngradableReason(StrEnum):
    """Why a reader cannot grade an eye."""

    CATARACT = "cataract"
    SMALL_PUPIL = "small_pupil"
    FOCUS = "focus"
    ARTEFACT = "artefact"
    FIELD = "field"
    OTHER = "other"


UNGRADABLE_REASON_LABELS: dict[UngradableReason, "_StrPromise"] = {
    UngradableReason.CATARACT: _("Cataract or other opacity"),
    UngradableReason.SMALL_PUPIL: _("Small pupil"),
    UngradableReason.FOCUS: _("Out of focus"),
    UngradableReason.ARTEFACT: _("Reflection, eyelash or dirt"),
    UngradableReason.FIELD: _("Wrong field of view"),
    UngradableReason.OTHER: _("Other reason"),
}
UNGRADABLE_REASON_CHOICES = choices(UNGRADABLE_REASON_LABELS)
LESION_LABELS: dict[Lesion, "_StrPromise"] = {
    Lesion.MICROANEURYSMS: _("Microaneurysms"),
    Lesion.HAEMORRHAGES: _("Haemorrhages"),
    Lesion.HAEMORRHAGE_QUADRANTS: _("Quadrants with more than 20 haemorrhages"),
    Lesion.BLOT_HAEMORRHAGES: _("8 or more blot haemorrhages"),
    Lesion.BLOT_HEMIFIELDS: _("Halves, upper and lower, with 4 or more blot haemorrhages"),
    Lesion.VENOUS_BEADING_QUADRANTS: _("Quadrants with definite venous beading"),
    Lesion.IRMA: _("IRMA, not prominent"),
    Lesion.IRMA_QUADRANTS: _("Quadrants with prominent IRMA"),
    Lesion.NEW_VESSELS_DISC: _("New vessels at the disc"),
    Lesion.NEW_VESSELS_ELSEWHERE: _("New vessels elsewhere"),
    Lesion.PRERETINAL_HAEMORRHAGE: _("Pre-retinal or vitreous haemorrhage"),
    Lesion.FIBROSIS: _("Fibrosis"),
    Lesion.DETACHMENT: _("Traction detachment"),
    Lesion.HARD_EXUDATES: _("Hard exudates"),
    Lesion.EXUDATE_GROUP: _("Group of exudates within the macula"),
    Lesion.MACULAR_RED_LESIONS: _("Within 1 disc diameter of the fovea"),
    Lesion.COTTON_WOOL_SPOTS: _("Cotton-wool spots"),
    Lesion.LASER_SCARS: _("Laser scars"),
    Lesion.TREATED_STABLE: _("Proliferative, treated and stable"),
    Lesion.GLAUCOMA_SUSPECT: _("Glaucoma suspect"),
    Lesion.AMD: _("Age-related macular degeneration"),
    Lesion.HYPERTENSIVE: _("Hypertensive retinopathy"),
    Lesion.VEIN_OCCLUSION: _("Vein occlusion"),
    Lesion.NAEVUS: _("Naevus"),
    Lesion.OTHER_DISEASE: _("Other disease"),
}
VALUE_LABELS: dict[Lesion, tuple["_StrPromise", ...]] = {
    Lesion.HARD_EXUDATES: (
        _("over 2 disc diameters from the fovea"),
        _("1 to 2 disc diameters from the fovea"),
        _("within 1 disc diameter of the fovea"),
    ),
    Lesion.MACULAR_RED_LESIONS: (_("microaneurysm or small haemorrhage"), _("blot haemorrhage")),
}
"""Labels of the values 1, 2, ... if a value is not a number of quadrants."""


def lesion_text(lesion: Lesion, value: int) -> str:
    """A finding in words, such as "Quadrants with prominent IRMA: 2"."""
    label = str(LESION_LABELS[lesion])
    if lesion in VALUE_LABELS:
        return with_label(label, VALUE_LABELS[lesion][value - 1])
    return label if lesion not in COUNTED else with_label(label, value)


COUNTED = {
    Lesion.HAEMORRHAGE_QUADRANTS,
    Lesion.BLOT_HEMIFIELDS,
    Lesion.VENOUS_BEADING_QUADRANTS,
    Lesion.IRMA_QUADRANTS,
}
