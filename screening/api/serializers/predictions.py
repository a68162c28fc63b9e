"""Predictions: a photograph is graded and not stored."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from screening.api.serializers.gradings import (
    CONFIDENCE_HELP,
    EYE_HELP,
    LIMITATION_HELP,
    OEDEMA_TEXT_HELP,
    BoxField,
    EyeField,
    ModelResultSerializer,
    QualityReasonSerializer,
)
from screening.api.serializers.images import PhotoField, PhotoSourceSerializer
from screening.api.serializers.models import MODEL_HELP, ModelField


class NewPredictionSerializer(serializers.Serializer[Any]):
    """A photograph to grade."""

    photo = PhotoField()


class NewSuggestionSerializer(PhotoSourceSerializer):
    """A photograph whose eye is not known."""


class EyeSuggestionSerializer(serializers.Serializer[Any]):
    """The eye that a photograph shows."""

    laterality_suggested = EyeField(source="laterality", help_text=EYE_HELP)
    laterality_confidence = serializers.FloatField(source="confidence", allow_null=True, help_text=CONFIDENCE_HELP)
    is_from_file = serializers.BooleanField(help_text="Whether a DICOM file states this eye; else it was recognised.")
    field_suggested = serializers.CharField(
        source="field", help_text="The field that a DICOM file states; empty if it states none."
    )


class PredictionQuerySerializer(serializers.Serializer[Any]):
    """Options of a prediction."""

    heatmap = serializers.BooleanField(default=True, help_text="`false` omits the heatmaps.")
    model = ModelField(required=False, help_text=f"{MODEL_HELP} The default is `fast`.")


@extend_schema_field({"type": "string", "format": "byte", "nullable": True})
class PngField(serializers.CharField):
    """A PNG in base64."""


class PredictionSerializer(ModelResultSerializer):
    """The model's result for one photograph."""

    is_gradable = serializers.BooleanField()
    p_gradable = serializers.FloatField(help_text="Probability that the photograph is gradable.")
    quality_reasons = QualityReasonSerializer(many=True, help_text="Empty if the photograph is of good quality.")
    grade_name = serializers.CharField(allow_null=True)
    laterality_suggested = EyeField(help_text=EYE_HELP)
    laterality_confidence = serializers.FloatField(allow_null=True, help_text=CONFIDENCE_HELP)
    operating_point = serializers.FloatField(help_text="`p_referable` from which an eye counts as referable.")
    limitation = serializers.CharField(help_text=LIMITATION_HELP)
    oedema_text = serializers.CharField(help_text=OEDEMA_TEXT_HELP)
    heatmap_png = PngField(
        allow_null=True,
        help_text="Evidence for the predicted grade (Grad-CAM), not a map of lesions: a transparent PNG in base64 with "
        "the proportions of the upright photograph, at most 512 px a side. Null if ungradable.",
    )
    heatmap_box = BoxField(allow_null=True, help_text="Position of both heatmaps on the upright photograph.")
    oedema_heatmap_png = PngField(
        allow_null=True, help_text="Evidence for macular oedema, as `heatmap_png` for the grade. Null if not assessed."
    )
    has_writing = serializers.BooleanField(
        help_text="Whether something is written outside the retina: it may name the patient."
    )
    disclaimer = serializers.CharField(help_text="Show it with every result.")
