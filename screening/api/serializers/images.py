"""Photographs: what is sent, and the record that is kept."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from screening.api.serializers.gradings import GradingSerializer
from screening.labels.eyes import LATERALITY_CHOICES
from screening.models import FundusImage, Grading


class PhotoField(serializers.FileField):
    """A photograph as it arrives. What is in the file is judged by ``photos.validation``; its name plays no part."""

    default_error_messages = {
        "required": _("Send the photograph as the file field “photo” of a multipart form."),
        "invalid": _("“photo” is not a file. Send it as a file of a multipart form (curl: -F photo=@eye.jpg)."),
    }

    def __init__(self, **kwargs: Any) -> None:
        help_text = "JPEG, PNG, TIFF or WebP; at most 50 MB and 100 megapixels; 8 bits a colour; RGB or grey."
        super().__init__(**{"help_text": help_text, "use_url": False, "allow_empty_file": True, **kwargs})

    def to_internal_value(self, data: Any) -> "UploadedFile[bytes]":
        """Raises ValidationError for what is no file. An empty file is left to the service, which has a sentence."""
        if not isinstance(data, UploadedFile):
            self.fail("invalid")
        return data


class NewImageSerializer(serializers.Serializer[Any]):
    """One photograph of one eye. The eye is asked for and never assumed."""

    photo = PhotoField()
    laterality = serializers.ChoiceField(
        LATERALITY_CHOICES,
        error_messages={
            "required": _("Say which eye this is: OD (right) or OS (left)."),
            "invalid_choice": _("Say which eye this is: OD (right) or OS (left)."),
        },
        help_text="The patient's eye: `OD` right, `OS` left.",
    )
    field = serializers.ChoiceField(
        FundusImage.Field.choices, default=FundusImage.Field.MACULA, help_text="What the photograph is centred on."
    )


class ImageSerializer(serializers.ModelSerializer[FundusImage]):
    """The record of a photograph with its newest grading. The name of the uploaded file is never kept."""

    exam = serializers.UUIDField(source="exam_id")
    grading = serializers.SerializerMethodField(help_text="The newest; null only for a moment.")

    class Meta:
        model = FundusImage
        fields = (
            "id",
            "exam",
            "laterality",
            "field",
            "sha256",
            "format",
            "width_px",
            "height_px",
            "n_bytes",
            "camera",
            "is_synthetic",
            "withdrawn_at",
            "withdrawn_reason",
            "created_at",
            "grading",
        )
        read_only_fields = fields

    @extend_schema_field(GradingSerializer(allow_null=True))
    def get_grading(self, image: FundusImage) -> Any:
        """The first of the loaded gradings: they come newest first."""
        newest: Grading | None = next(iter(image.gradings.all()), None)
        return None if newest is None else self._of_grading.to_representation(newest)

    @cached_property
    def _of_grading(self) -> GradingSerializer:
        """One for all rows: making a serializer costs more than using it."""
        return GradingSerializer()


class ImageQuerySerializer(serializers.Serializer[Any]):
    """Which photographs."""

    exam = serializers.UUIDField(required=False, help_text="Only those of this exam.")


class GradingQuerySerializer(serializers.Serializer[Any]):
    """Which gradings."""

    status = serializers.ChoiceField(Grading.Status.choices, required=False)
    exam = serializers.UUIDField(required=False, help_text="Only those of this exam.")
    image = serializers.UUIDField(required=False, help_text="Only those of this photograph.")
