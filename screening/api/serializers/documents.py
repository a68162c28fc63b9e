"""Documents: their progress, their hash, whether they hold."""

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from screening.labels.documents import Standing
from screening.labels.letters import VARIANT_CHOICES
from screening.models import Document
from screening.policy.letters import LetterVariant
from screening.reports.letters import OF_RECALL, OF_REVIEW
from screening.selectors.documents import standing_of


class DocumentSerializer(serializers.ModelSerializer[Document]):
    """A PDF or text file about a patient. `file` is its address once `status` is `done`; it never changes then."""

    exam = serializers.UUIDField(source="exam_id", allow_null=True)
    review = serializers.UUIDField(source="review_id", allow_null=True, help_text="The signed review that it is of.")
    message = serializers.CharField(source="failure_text", help_text="Why it failed and what to do; else empty.")
    standing = serializers.SerializerMethodField(help_text="`superseded` and `in_error`: do not act on it.")
    file = serializers.SerializerMethodField(help_text="Path of the file; null until it is made.")
    sha256 = serializers.CharField(allow_blank=True, help_text="Hash of the file; empty until it is made.")

    class Meta:
        model = Document
        fields = (
            "id",
            "kind",
            "exam",
            "review",
            "language",
            "has_heatmaps",
            "variant",
            "status",
            "failure_code",
            "message",
            "standing",
            "file",
            "sha256",
            "n_bytes",
            "created_at",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=[one.value for one in Standing]))
    def get_standing(self, document: Document) -> str:
        """Whether it still holds."""
        return standing_of(document)

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_file(self, document: Document) -> str | None:
        """Path of the file."""
        return f"/api/v1/documents/{document.pk}/file" if document.status == Document.Status.DONE else None


class NewReportSerializer(serializers.Serializer[object]):
    """Which report is to be made."""

    review = serializers.UUIDField(
        required=False, help_text="A signed review of the exam, amended ones too; without it the one in force."
    )
    language = serializers.ChoiceField(
        settings.LANGUAGES, required=False, help_text="Of the report; without it that of `Accept-Language`."
    )
    heatmaps = serializers.BooleanField(
        default=False, help_text="With the heatmaps of the model, for users who may see its grade."
    )


class NewRecallLetterSerializer(serializers.Serializer[object]):
    """Which letter of call and recall is to be made."""

    kind = serializers.ChoiceField([kind.value for kind in OF_RECALL])
    variant = serializers.ChoiceField(
        VARIANT_CHOICES, default=LetterVariant.STANDARD.value, help_text="`plain_text` makes a text file."
    )


class NewLetterSerializer(NewRecallLetterSerializer):
    """Which letter about a result is to be made."""

    kind = serializers.ChoiceField([kind.value for kind in OF_REVIEW])
    review = serializers.UUIDField(required=False, help_text="A signed review; without it the one in force.")
