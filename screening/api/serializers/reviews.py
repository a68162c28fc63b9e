"""Signed reviews."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from screening.api.serializers.gradings import grade_label
from screening.api.serializers.records import RecordSerializer
from screening.models import EyeFinding, FirstReading, LesionMark, Review


class MarkSerializer(RecordSerializer, serializers.ModelSerializer[LesionMark]):
    """Where the reader sees a lesion, in fractions of width and height of the photograph, from its upper left."""

    image = serializers.UUIDField(source="image_id", help_text="The photograph.")
    points = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(min_value=0, max_value=1), min_length=2, max_length=2),
        help_text="`[x, y]` of a point, of the centre of a circle, or of each corner of an outline, which is closed.",
    )
    radius = serializers.FloatField(allow_null=True, help_text="Of a circle, as a fraction of the width; else null.")

    class Meta:
        model = LesionMark
        fields = ("image", "kind", "shape", "points", "radius")
        read_only_fields = fields


class LandmarksSerializer(serializers.Serializer[Any]):
    """Where the reader placed optic disc and fovea, in fractions of width and height, from the upper left."""

    image = serializers.UUIDField(help_text="The photograph.")
    optic_disc = serializers.ListField(
        child=serializers.FloatField(min_value=0, max_value=1),
        min_length=2,
        max_length=2,
        help_text="`[x, y]` of the centre of the optic disc.",
    )
    diameter = serializers.FloatField(help_text="Of the optic disc, as a fraction of the width.")
    fovea = serializers.ListField(
        child=serializers.FloatField(min_value=0, max_value=1), min_length=2, max_length=2, help_text="`[x, y]`."
    )


class FindingSerializer(RecordSerializer, serializers.ModelSerializer[EyeFinding]):
    """The signed finding for one eye."""

    grade_name = serializers.SerializerMethodField()
    lesions = serializers.DictField(
        child=serializers.IntegerField(min_value=1, max_value=4),
        help_text="Lesions found, by code, with a number: 1 if present, else of quadrants or a distance.",
    )
    retinopathy = serializers.CharField(help_text="Grade in `scale` of the review, such as `R2L`; empty in ICDR.")
    maculopathy = serializers.CharField(help_text="Grade in `scale` of the review, such as `M1`; empty in ICDR.")
    photocoagulation = serializers.CharField(
        help_text="`P0` or `P1` in the English scale; empty in the others, and if it was signed before 0.3.0."
    )
    marks = MarkSerializer(many=True, help_text="Marks on the photographs of this eye, in the order of drawing.")
    landmarks = serializers.SerializerMethodField(help_text="Optic disc and fovea, of each photograph with them.")

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
            "photocoagulation",
            "contradiction_reason",
            "marks",
            "landmarks",
        )
        read_only_fields = fields

    def get_grade_name(self, finding: EyeFinding) -> str | None:
        """Label of the grade."""
        return grade_label(finding.grade)

    @extend_schema_field(LandmarksSerializer(many=True))
    def get_landmarks(self, finding: EyeFinding) -> list[dict[str, Any]]:
        """The stored values, with the photograph of each."""
        return [
            {"image": image_id, "optic_disc": one["disc"], "diameter": one["diameter"], "fovea": one["fovea"]}
            for image_id, one in finding.landmarks.items()
        ]


class ReviewSerializer(RecordSerializer, serializers.ModelSerializer[Review]):
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
    outcome_table = serializers.UUIDField(
        source="outcome_table_id", allow_null=True, help_text="The version of the site's table that it was signed by."
    )
    built_in_version = serializers.IntegerField(
        allow_null=True, help_text="The version of the built-in rules, if it was signed by those."
    )
    outcome_rules = serializers.ListField(
        child=serializers.CharField(),
        help_text="Rules that set outcome or interval, by eye, such as `left_grade_2`. Empty before 0.3.0.",
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
            "outcome_table",
            "built_in_version",
            "outcome_rules",
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
        return "" if correction is None else correction.reason_text

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_amended_by(self, review: Review) -> str | None:
        """The prefetched amendment; there is at most one."""
        amendment = next(iter(review.amendments.all()), None)
        return None if amendment is None else str(amendment.pk)
