"""Labels of what is observed in an eye and of an exam, for other systems."""

from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class ObservationKind(StrEnum):
    """What an observation is about; its code."""

    SEVERITY = "severity"
    GRADABILITY = "gradability"
    MACULAR_OEDEMA = "macular-oedema"
    P_REFERABLE = "p-referable"
    P_MACULAR_OEDEMA = "p-macular-oedema"
    OUTCOME = "outcome"
    RECALL = "recall"

    @property
    def is_of_an_eye(self) -> bool:
        return self not in {ObservationKind.OUTCOME, ObservationKind.RECALL}


OBSERVATION_LABELS: dict[ObservationKind, "_StrPromise"] = {
    ObservationKind.SEVERITY: _("Retinopathy"),
    ObservationKind.GRADABILITY: _("Gradable"),
    ObservationKind.MACULAR_OEDEMA: _("Macular oedema"),
    ObservationKind.P_REFERABLE: _("Probability that this eye needs a specialist for retinopathy"),
    ObservationKind.P_MACULAR_OEDEMA: _("Probability that this eye needs a specialist for macular oedema"),
    ObservationKind.OUTCOME: _("Outcome"),
    ObservationKind.RECALL: _("Next screening"),
}
METHOD = _("Fundus photography")
REPORT = _("Diabetic retinopathy screening: clinical report")
ABSENT = _("Eye is absent")
NOT_PHOTOGRAPHED = _("Not photographed")
NOT_GRADABLE = _("A photograph that is not gradable never counts as negative.")
OTHER_EYE = _("Check the eye: the photograph looks like the other eye.")
RETRACTED = _("Result entered in error")
