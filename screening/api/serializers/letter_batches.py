"""Letters to the people of a list: which ones, their progress, their files."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from screening.api.serializers.due_list import STATE_CHOICES
from screening.labels.letters import VARIANT_CHOICES
from screening.labels.recall import STEP_CHOICES
from screening.labels.reviews import OUTCOME_CHOICES, URGENCY_CHOICES
from screening.models import LetterBatch
from screening.policy.letters import LetterVariant
from screening.reports.letters import OF_REVIEW
from screening.selectors.documents import count_letters
from screening.services.letter_batches import MAX_LETTERS

DUE_LETTER = "due_letter"
_OF_RESULTS = ("exams", "outcome", "from_on", "to_on")
_FIELDS: dict[str, tuple[str, ...]] = {
    DUE_LETTER: ("patients", "state", "step", "due_by", "never_screened"),
    "result_letter": _OF_RESULTS,
    "doctor_letter": _OF_RESULTS,
    "referral_letter": ("exams", "urgency", "is_late"),
}
"""What chooses among the people of the list of each kind."""


class NewLetterBatchSerializer(serializers.Serializer[Any]):
    """Letters of one kind to at most 500 people of a list: all of it, those that match filters, or those of ids."""

    kind = serializers.ChoiceField(
        [DUE_LETTER, *(kind.value for kind in OF_REVIEW)],
        help_text="`due_letter`: to people of the due list, the letter of their next step. `result_letter`, "
        "`doctor_letter`: about signed results. `referral_letter`: to the eye hospital, for referrals to be sent.",
    )
    variant = serializers.ChoiceField(
        VARIANT_CHOICES, default=LetterVariant.STANDARD.value, help_text="`plain_text` makes text files, without a PDF."
    )
    patients = serializers.ListField(
        child=serializers.UUIDField(), required=False, min_length=1, max_length=MAX_LETTERS, help_text="`due_letter`."
    )
    exams = serializers.ListField(
        child=serializers.UUIDField(), required=False, min_length=1, max_length=MAX_LETTERS, help_text="The others."
    )
    state = serializers.ChoiceField(STATE_CHOICES, required=False, help_text="`due_letter`, as `due-list`.")
    step = serializers.ChoiceField(STEP_CHOICES, required=False, help_text="`due_letter`, as `due-list`.")
    due_by = serializers.DateField(required=False, help_text="`due_letter`, as `due-list`.")
    never_screened = serializers.BooleanField(required=False, help_text="`due_letter`, as `due-list`.")
    outcome = serializers.ChoiceField(OUTCOME_CHOICES, required=False, help_text="`result_letter`, `doctor_letter`.")
    from_on = serializers.DateField(required=False, help_text="Signed on this day or later.")
    to_on = serializers.DateField(required=False, help_text="Signed on this day or earlier.")
    urgency = serializers.ChoiceField(URGENCY_CHOICES, required=False, help_text="`referral_letter`.")
    is_late = serializers.BooleanField(required=False, help_text="`referral_letter`: only late ones.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError for a field of another kind."""
        surplus = set(attrs) - {"kind", "variant", *_FIELDS[attrs["kind"]]}
        if surplus:
            text = _("Letters of this kind cannot be chosen by this.")
            raise serializers.ValidationError(dict.fromkeys(sorted(surplus), text))
        return attrs


class LetterFileQuerySerializer(serializers.Serializer[Any]):
    """Which file of letters."""

    type = serializers.ChoiceField(["pdf", "zip"], default="pdf")


class LetterBatchSerializer(serializers.ModelSerializer[LetterBatch]):
    """Letters that are made at once. `pdf` and `zip` are addresses once `state` is `done`, until `files_until`."""

    site = serializers.SlugField(source="site.code", help_text="Code of the site.")
    n_made = serializers.IntegerField(help_text="How many of `n_letters` are made.")
    pdf = serializers.SerializerMethodField(help_text="Path of all letters for a folding machine; null without it.")
    zip = serializers.SerializerMethodField(help_text="Path of the separate files, named by document; null without it.")
    files_until = serializers.DateTimeField(allow_null=True, help_text="The files are deleted then.")

    class Meta:
        model = LetterBatch
        fields: Iterable[str] = (
            "id",
            "site",
            "variant",
            "state",
            "n_letters",
            "n_made",
            "pdf",
            "zip",
            "files_until",
            "files_deleted_at",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_pdf(self, batch: LetterBatch) -> str | None:
        """Path of the PDF."""
        return f"/api/v1/letter-batches/{batch.pk}/file?type=pdf" if batch.pdf else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_zip(self, batch: LetterBatch) -> str | None:
        """Path of the archive."""
        return f"/api/v1/letter-batches/{batch.pk}/file?type=zip" if batch.archive else None


class LetterBatchDetailSerializer(LetterBatchSerializer):
    """The same, with how many people get no letter, by reason."""

    left_out = serializers.SerializerMethodField(help_text="Numbers of people without a letter, by reason.")

    class Meta(LetterBatchSerializer.Meta):
        fields = (*LetterBatchSerializer.Meta.fields, "left_out")
        read_only_fields = fields

    @extend_schema_field(serializers.DictField(child=serializers.IntegerField()))
    def get_left_out(self, batch: LetterBatch) -> dict[str, int]:
        """Numbers by reason."""
        return {reason: n for reason, n in count_letters(batch).items() if reason}
