"""The model in use and its limits."""

from typing import Any

from rest_framework import serializers

from screening.api.serializers.gradings import QualityReasonSerializer


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
    """The model in use: version, operating point, metrics, limits."""

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
