"""Photographs: uploads and their records."""

from functools import cache
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from screening.api.serializers.gradings import GradingSerializer
from screening.api.serializers.records import RecordSerializer
from screening.labels.eyes import LATERALITY_CHOICES
from screening.models import FundusImage, Grading
from screening.models.base import max_length
from screening.photos.validation import MAX_MB, MAX_PIXELS
from screening.services.upload_checks import ANSWERABLE, OTHER_PATIENT, OnWriting

EYE_REQUIRED = _("Set “laterality” to OD (right eye) or OS (left eye).")

REASON_REQUIRED = _("Enter the reason why this photograph is in the exams of two patients.")


class PhotoField(serializers.FileField):
    """An uploaded photograph. ``photos.validation`` checks its content."""

    default_error_messages = {
        "required": _("Send the photograph as the file “photo” of a multipart form (curl: -F photo=@eye.jpg)."),
        "invalid": _("“photo” is not a file. Send it as a file of a multipart form (curl: -F photo=@eye.jpg)."),
    }

    def __init__(self, **kwargs: Any) -> None:
        help_text = (
            f"JPEG, PNG, TIFF, WebP or DICOM; at most {MAX_MB} MB and {MAX_PIXELS // 1_000_000} megapixels; "
            "8 bits a colour; RGB or grey."
        )
        super().__init__(**{"help_text": help_text, "use_url": False, "allow_empty_file": True, **kwargs})

    def to_internal_value(self, data: Any) -> "UploadedFile[bytes]":
        """Raises ValidationError if the field is not a file. An empty file is refused by the service."""
        if not isinstance(data, UploadedFile):
            self.fail("invalid")
        return data


class PhotoSourceSerializer(serializers.Serializer[Any]):
    """A photograph: as a file, or as a complete upload."""

    photo = PhotoField(required=False)
    upload = serializers.UUIDField(
        required=False, help_text="Id of a complete upload of yours to this exam, instead of `photo`."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require one of the two."""
        if ("photo" in attrs) == ("upload" in attrs):
            raise serializers.ValidationError({"photo": PhotoField.default_error_messages["required"]})
        return attrs


class NewImageSerializer(PhotoSourceSerializer):
    """A photograph of one eye. The eye has no default; a DICOM file may state it."""

    laterality = serializers.ChoiceField(
        LATERALITY_CHOICES,
        required=False,
        error_messages={"invalid_choice": EYE_REQUIRED},
        help_text="The patient's eye: `OD` right, `OS` left. Without it, that of the DICOM file; 400 if there is none.",
    )
    field = serializers.ChoiceField(
        FundusImage.Field.choices,
        required=False,
        help_text="The centre of the photograph. Without it, that of the DICOM file, else `macula`.",
    )
    pupil = serializers.ChoiceField(
        FundusImage.Pupil.choices,
        required=False,
        allow_blank=True,
        default="",
        help_text="Without it, that of the DICOM file; empty if it is not known.",
    )
    captured_on = serializers.DateField(
        required=False,
        help_text="The day on which the photograph was taken. Without it, that of the file (EXIF, DICOM) or of the "
        "upload.",
    )
    confirm = serializers.ListField(
        child=serializers.ChoiceField(ANSWERABLE),
        max_length=len(ANSWERABLE),
        default=list,
        help_text="Send `confirm` of a 409 to store the photograph nevertheless; repeatable. `other_patient`: this "
        "picture belongs to this patient, with a `reason`; `capture_date_old`: it was taken more than a year ago; "
        "`dicom_other_patient`, `dicom_other_eye`: the DICOM file names another person, or the other eye.",
    )
    reason = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=max_length(FundusImage, "copy_reason"),
        help_text="Why the photograph is in the exams of two patients; stored with it.",
    )

    writing = serializers.ChoiceField(
        [choice.value for choice in OnWriting],
        default=OnWriting.KEEP.value,
        help_text="If something is written outside the retina: `keep` it, `blank` all outside the retina before the "
        "photograph is stored, or `question`: 409 with the code `writing_outside`, and nothing is stored.",
    )
    is_bulk = serializers.BooleanField(
        default=False,
        help_text="Of a batch that no user waits for: it is graded after all other photographs, also of other sites.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require the reason of a confirmed picture of another patient."""
        attrs = super().validate(attrs)
        if OTHER_PATIENT in attrs["confirm"] and not attrs["reason"]:
            raise serializers.ValidationError({"reason": REASON_REQUIRED})
        return attrs


_EMPTY_HELP = {
    "study_uid": "Study Instance UID of a DICOM file; empty for other files.",
    "instance_uid": "SOP Instance UID of a DICOM file; empty for other files.",
    "pupil": "Empty if it was not recorded.",
    "captured_on_source": "Where the date comes from; empty without a date.",
    "withdrawn_code": "Empty while the photograph is in use.",
}


class ImageSerializer(RecordSerializer, serializers.ModelSerializer[FundusImage]):
    """The record of a photograph with its current grading. The name of the uploaded file is not stored."""

    exam = serializers.UUIDField(source="exam_id")
    grading = serializers.SerializerMethodField(help_text="The current grading: the newest by the model of the site.")

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
            "study_uid",
            "instance_uid",
            "captured_on",
            "captured_on_source",
            "copy_reason",
            "writing",
            "pupil",
            "is_synthetic",
            "withdrawn_at",
            "withdrawn_code",
            "withdrawn_reason",
            "created_at",
            "grading",
        )
        read_only_fields = fields
        extra_kwargs = {name: {"help_text": text} for name, text in _EMPTY_HELP.items()}

    @extend_schema_field(GradingSerializer(allow_null=True))
    def get_grading(self, image: FundusImage) -> Any:
        """That of the context, for a new photograph; else the first of the prefetched gradings."""
        current: Grading | None = self.context.get("grading") or next(iter(image.gradings.all()), None)
        return None if current is None else _grading_serializer().to_representation(current)


@cache
def _grading_serializer() -> GradingSerializer:
    """One for all rows and requests: to create a serializer takes longer than to use it."""
    return GradingSerializer()


class ImageQuerySerializer(serializers.Serializer[Any]):
    """Filters of photographs."""

    exam = serializers.UUIDField(required=False, help_text="Of this exam only.")
