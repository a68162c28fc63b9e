"""The model in use and its limits."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from ml.vocabulary import ServedModel
from screening.api.serializers.gradings import QualityReasonSerializer
from screening.labels.models import MODEL_CHOICES, unknown_model_text


class ModelField(serializers.ChoiceField):
    """A model of this installation, ``accurate`` or ``fast``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(MODEL_CHOICES, **kwargs)

    def to_internal_value(self, data: Any) -> ServedModel:
        """Raises ValidationError for a model that is unknown or not installed."""
        if data not in settings.GRADING_MODELS:
            raise serializers.ValidationError(unknown_model_text(data), code="invalid_choice")
        return ServedModel(data)


MODEL_HELP = "`accurate` grades better; `fast` takes about a sixth of the time."


class ModelQuerySerializer(serializers.Serializer[Any]):
    """Which model."""

    model = ModelField(required=False, help_text=f"{MODEL_HELP} The default is that of predictions, `fast`.")


class NewGradingSerializer(serializers.Serializer[Any]):
    """Which model grades a photograph again."""

    model = ModelField(required=False, help_text=f"{MODEL_HELP} The default is the model of the site.")


class GradeSerializer(serializers.Serializer[Any]):
    """One grade of the ICDR scale."""

    grade = serializers.IntegerField()
    name = serializers.CharField()
    is_referable = serializers.BooleanField()


class LimitsSerializer(serializers.Serializer[Any]):
    """Limits on photographs."""

    max_bytes = serializers.IntegerField()
    max_pixels = serializers.IntegerField()
    min_side_px = serializers.IntegerField()
    formats = serializers.ListField(child=serializers.CharField())


class ModelSerializer(serializers.Serializer[Any]):
    """A model: version, operating point, metrics, limits."""

    model = serializers.ChoiceField(MODEL_CHOICES)
    installed = serializers.ListField(
        child=serializers.ChoiceField(MODEL_CHOICES), help_text="The models of this installation."
    )
    model_version = serializers.CharField(help_text="Name, version and first letters of the weights' hash.")
    name = serializers.CharField()
    version = serializers.CharField()
    architecture = serializers.CharField()
    weights_sha256 = serializers.CharField()
    operating_point = serializers.FloatField(help_text="`p_referable` from which an eye counts as referable.")
    oedema_operating_point = serializers.FloatField(
        allow_null=True, help_text="`p_macular_oedema` from which oedema is suspected. Null if it is not assessed."
    )
    grades = GradeSerializer(many=True)
    quality_reasons = QualityReasonSerializer(many=True)
    metrics = serializers.DictField(help_text="Metrics for each data set, as in the model card.")
    not_graded = serializers.ListField(child=serializers.CharField(), help_text="What a clinician must check for.")
    photographs = LimitsSerializer()
    disclaimer = serializers.CharField()
