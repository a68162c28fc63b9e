"""Signed reviews."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from screening.api.serializers.gradings import grade_label
from screening.models import EyeFinding, FirstReading, Review


class FindingSerializer(serializers.ModelSerializer[EyeFinding]):
    """The signed finding for one eye."""

    grade_name = serializers.SerializerMethodField()
    lesions = serializers.DictField(
        child=serializers.IntegerField(min_value=1, max_value=4),
        help_text="Lesions found, by code, with a number: 1 if present, else of quadrants or a distance.",
    )
    retinopathy = serializers.CharField(help_text="Grade in `scale` of the review, such as `R2L`; empty in ICDR.")
    maculopathy = serializers.CharField(help_text="Grade in `scale` of the review, such as `M1`; empty in ICDR.")

    class Meta:
        model = EyeFinding
        fields = (
            "laterality",
            "is_absent",
            "is_photographed",
            "is_gradable",
            "grade",
            "grade_name",
            "macular_oedema",
            "changed_reason",
            "lesions",
            "other_disease",
            "ungradable_reason",
            "retinopathy",
            "maculopathy",
            "contradiction_reason",
        )
        read_only_fields = fields

    def get_grade_name(self, finding: EyeFinding) -> str | None:
        """Label of the grade."""
        return grade_label(finding.grade)


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """A signed review. It never changes: an amendment is a new review, whose id is `amended_by` of the earlier one."""

    exam = serializers.UUIDField(source="exam_id")
    reviewer = serializers.UUIDField(source="reviewer_id", help_text="The user who signed.")
    reviewer_name = serializers.CharField(source="reviewer")
    outcome_text = serializers.CharField(source="get_outcome_display")
    urgency_text = serializers.CharField(source="get_urgency_display")
    status = serializers.SerializerMethodField(
        help_text="`final`; `amended`; or `entered-in-error`: it does not count any more, see `status_reason`."
    )
    status_reason = serializers.SerializerMethodField(help_text="Why it does not count any more, if so.")
    amends = serializers.UUIDField(source="amends_id", allow_null=True, help_text="The review that this one replaces.")
    amended_by = serializers.SerializerMethodField(help_text="The review that replaces this one, if any.")
    not_blind_reason = serializers.ChoiceField(
        choices=FirstReading.NotBlind.choices,
        allow_blank=True,
        help_text="How the reader had seen the model's result before the own first reading; empty if not at all.",
    )
    findings = FindingSerializer(many=True)

    class Meta:
        model = Review
        fields = (
            "id",
            "exam",
            "reviewer",
            "reviewer_name",
            "signed_at",
            "status",
            "status_reason",
            "outcome",
            "outcome_text",
            "urgency",
            "urgency_text",
            "recall_on",
            "scale",
            "note",
            "amends",
            "amend_reason",
            "amended_by",
            "not_blind_reason",
            "findings",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(["final", "amended", "entered-in-error"]))
    def get_status(self, review: Review) -> str:
        """From the amendments and the reading round."""
        if next(iter(review.amendments.all()), None) is not None:
            return "amended"
        return "final" if review.reading_round == review.exam.reading_round else "entered-in-error"

    def get_status_reason(self, review: Review) -> str:
        """The reason of the correction; empty if the review counts."""
        correction = next(iter(review.corrections.all()), None)
        return "" if correction is None else correction.reason

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_amended_by(self, review: Review) -> str | None:
        """The prefetched amendment; there is at most one."""
        amendment = next(iter(review.amendments.all()), None)
        return None if amendment is None else str(amendment.pk)
