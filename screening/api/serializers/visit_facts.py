"""Facts of a visit."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from screening.api.surplus import surplus_errors
from screening.hba1c import Unit
from screening.labels.acuities import CORRECTION_CHOICES
from screening.labels.eyes import LATERALITY_CHOICES
from screening.models import VisitFacts, VisualAcuity
from screening.models.base import max_length
from screening.models.visit_facts import EYE_TREATMENTS
from screening.services.visit_facts import HBA1C_UNUSUAL

_EYE_HELP = "Null if it was not asked, empty if there was none."
_HBA1C_HELP = "As measured, in `hba1c_unit`: 3 to 20 %, or 9 to 195 mmol/mol. Send value, unit and date together."


def _treatments() -> serializers.ListField:
    codes = serializers.ChoiceField(EYE_TREATMENTS)
    return serializers.ListField(
        child=codes, max_length=len(EYE_TREATMENTS), allow_null=True, required=False, help_text=_EYE_HELP
    )


class NewAcuitySerializer(serializers.Serializer[Any]):
    """The visual acuity of one eye."""

    laterality = serializers.ChoiceField(LATERALITY_CHOICES)
    entered = serializers.CharField(
        max_length=max_length(VisualAcuity, "entered"),
        help_text="As on the chart: 6/12, 20/40, 0.5, logMAR 0.3, CF, HM, PL or NPL. It is stored as logMAR too.",
    )
    correction = serializers.ChoiceField(CORRECTION_CHOICES, required=False, allow_blank=True, default="")

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError also for a field that it does not have."""
        if errors := surplus_errors(data, known=self.fields):
            raise serializers.ValidationError(errors)
        return super().to_internal_value(data)


class AcuitySerializer(serializers.ModelSerializer[VisualAcuity]):
    """The newest visual acuity of one eye at this visit."""

    logmar = serializers.DecimalField(
        max_digits=3, decimal_places=2, coerce_to_string=False, help_text="`entered` as logMAR: 0 is 6/6, 0.3 is 6/12."
    )
    correction = serializers.CharField(help_text="`unaided`, `glasses`, `pinhole`, or empty.")
    recorded_at = serializers.DateTimeField(source="created_at")

    class Meta:
        model = VisualAcuity
        fields = ("entered", "logmar", "correction", "recorded_at")
        read_only_fields = fields


class NewVisitFactsSerializer(serializers.Serializer[Any]):
    """Facts to record; those that are not sent stay as they are."""

    hba1c = serializers.DecimalField(
        max_digits=4,
        decimal_places=1,
        min_value=0,
        allow_null=True,
        required=False,
        coerce_to_string=False,
        help_text=_HBA1C_HELP,
    )
    hba1c_unit = serializers.ChoiceField([unit.value for unit in Unit], required=False)
    hba1c_on = serializers.DateField(required=False, allow_null=True, help_text="The day on which it was measured.")
    treatment = serializers.ChoiceField(VisitFacts.Treatment.choices, required=False, allow_blank=True)
    is_pregnant = serializers.BooleanField(required=False, allow_null=True)
    right_eye_treatments = _treatments()
    left_eye_treatments = _treatments()
    consent = serializers.ChoiceField(VisitFacts.Consent.choices, required=False, allow_blank=True)
    acuities = NewAcuitySerializer(many=True, required=False, help_text="At most one of each eye.")
    confirm = serializers.ListField(
        child=serializers.ChoiceField([HBA1C_UNUSUAL]),
        max_length=1,
        default=list,
        help_text="`hba1c_unusual` stores a value of HbA1c that a 409 questioned.",
    )

    def validate_acuities(self, acuities: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Raises ValidationError for two of one eye: one of them would be lost."""
        eyes = [one["laterality"] for one in acuities]
        for eye in set(eyes):
            if eyes.count(eye) > 1:
                raise serializers.ValidationError(_("“%(name)s” is sent more than once. Send it once.") % {"name": eye})
        return acuities


class VisitFactsSerializer(serializers.ModelSerializer[VisitFacts]):
    """What was asked at the visit. Type and begin of diabetes are those of the patient."""

    hba1c = serializers.DecimalField(max_digits=4, decimal_places=1, allow_null=True, coerce_to_string=False)
    hba1c_unit = serializers.CharField(help_text="`percent`, `mmol_mol`, or empty.")
    hba1c_mmol_mol = serializers.DecimalField(
        max_digits=4,
        decimal_places=1,
        allow_null=True,
        coerce_to_string=False,
        help_text="Converted by the equation of NGSP.",
    )
    treatment = serializers.CharField(help_text="`diet`, `no_insulin`, `insulin`, or empty.")
    right_eye_treatments = serializers.ListField(child=serializers.CharField(), allow_null=True, help_text=_EYE_HELP)
    left_eye_treatments = serializers.ListField(child=serializers.CharField(), allow_null=True, help_text=_EYE_HELP)
    consent = serializers.CharField(help_text="`given`, `refused`, or empty.")

    class Meta:
        model = VisitFacts
        fields = (
            "hba1c",
            "hba1c_unit",
            "hba1c_mmol_mol",
            "hba1c_on",
            "treatment",
            "is_pregnant",
            "right_eye_treatments",
            "left_eye_treatments",
            "consent",
            "recorded_at",
        )
        read_only_fields = fields
