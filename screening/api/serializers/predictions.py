"""One photograph graded at once, with nothing stored."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from screening.api.serializers.gradings import BoxField, VerdictSerializer
from screening.api.serializers.images import PhotoField


class NewPredictionSerializer(serializers.Serializer[Any]):
    """The photograph to grade."""

    photo = PhotoField()


class PredictionQuerySerializer(serializers.Serializer[Any]):
    """What may be left out."""

    heatmap = serializers.BooleanField(default=True, help_text="`false` leaves the heatmap out.")


@extend_schema_field({"type": "string", "format": "byte", "nullable": True})
class PngField(serializers.CharField):
    """A PNG in base64."""


class PredictionSerializer(VerdictSerializer):
    """Result of the model of one photograph."""

    is_gradable = serializers.BooleanField()
    p_gradable = serializers.FloatField(help_text="Probability that it is gradable.")
    operating_point = serializers.FloatField(help_text="Of the model; from here on an eye counts as referable.")
    heatmap_png = PngField(
        allow_null=True,
        help_text="Base64 of a PNG with transparency, in the upright photograph's proportions, 512 px at most: lay it "
        "over the photograph. Where the model looked for this grade, not a map of lesions. Null when not gradable.",
    )
    heatmap_box = BoxField(
        allow_null=True,
        help_text="Where the model's view lies on the upright photograph: left, top, right, bottom as shares.",
    )
    disclaimer = serializers.CharField(help_text="Show it with the result.")
