"""Controls of the lesions of an eye: their order, and those that a scale leaves out."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from screening.labels.lesions import LESION_LABELS
from screening.policy import GradingScale
from screening.policy.lesions import MAX_VALUES, OTHER_DISEASES, Lesion

LESION_PREFIX = "lesion_"


@dataclass(frozen=True, slots=True)
class LesionInput:
    """A tick box, or a select if there are ``options`` (value, label)."""

    code: str
    name: str
    element_id: str
    label: str
    value: str
    options: list[tuple[str, str]]


LESION_GROUPS: dict[Any, tuple[Lesion, ...]] = {
    _("Retinopathy"): (
        Lesion.MICROANEURYSMS,
        Lesion.HAEMORRHAGES,
        Lesion.BLOT_HAEMORRHAGES,
        Lesion.COTTON_WOOL_SPOTS,
        Lesion.IRMA,
        Lesion.HAEMORRHAGE_QUADRANTS,
        Lesion.BLOT_HEMIFIELDS,
        Lesion.VENOUS_BEADING_QUADRANTS,
        Lesion.IRMA_QUADRANTS,
        Lesion.NEW_VESSELS_DISC,
        Lesion.NEW_VESSELS_ELSEWHERE,
        Lesion.PRERETINAL_HAEMORRHAGE,
        Lesion.FIBROSIS,
        Lesion.DETACHMENT,
    ),
    _("Macula"): (Lesion.HARD_EXUDATES, Lesion.EXUDATE_GROUP, Lesion.MACULAR_RED_LESIONS),
    _("Treatment"): (Lesion.LASER_SCARS, Lesion.TREATED_STABLE),
    _("Other disease"): OTHER_DISEASES,
}
NOT_IN_SCALE = {
    GradingScale.ICDR: {Lesion.BLOT_HEMIFIELDS},
    GradingScale.ENGLAND: {Lesion.BLOT_HEMIFIELDS, Lesion.LASER_SCARS},  # laser scars: see photocoagulation()
    GradingScale.SCOTLAND: {Lesion.BLOT_HAEMORRHAGES},
}


def lesion_field(lesion: Lesion) -> forms.ChoiceField:
    """The numbers that a lesion can have."""
    numbers = [str(number) for number in range(MAX_VALUES[lesion] + 1)]
    return forms.ChoiceField(label=LESION_LABELS[lesion], choices=[(one, one) for one in numbers], required=False)
