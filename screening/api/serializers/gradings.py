"""Gradings: status and result of the model for a photograph."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ml.vocabulary import QualityLevel, QualityReason
from screening.api.serializers.records import RecordSerializer
from screening.labels.choices import choices
from screening.labels.eyes import LATERALITY_CHOICES
from screening.labels.grades import GRADE_LABELS
from screening.labels.models import MODEL_CHOICES
from screening.labels.oedema import oedema_text
from screening.labels.quality import FALLBACK, QUALITY_ADVICE, QUALITY_LEVEL_LABELS, limitation_of
from screening.models import Grading, SiteThreshold

_HIDDEN_FIELDS = (
    "grade",
    "grade_name",
    "probabilities",
    "p_at_least",
    "p_referable",
    "is_referable",
    "is_limited_negative",
    "limitation",
    "heatmap",
    "heatmap_box",
    "p_macular_oedema",
    "suspects_oedema",
    "oedema_text",
    "oedema_heatmap",
)
"""Null until the model's grade and its suspicion of macular oedema are revealed."""
UNCLEAR = "unclear"
"""Code of a photograph that is not good without a specific reason."""
OEDEMA_TEXT_HELP = (
    "The sentences to show with the result: suspicion, no suspicion or not assessed, and that a colour photograph "
    "cannot exclude macular oedema. Empty if the model does not assess it."
)
LIMITATION_HELP = "The sentence to show with the result if `is_limited_negative`; else empty."


class QualityReasonSerializer(serializers.Serializer[dict[str, str]]):
    """Why a photograph is not of good quality, with advice for the photographer."""

    code = serializers.CharField(help_text="`no_retina`, `blurred`, `too_dark`, ... or `unclear`.")
    problem = serializers.CharField()
    advice = serializers.CharField()


class BoxField(serializers.ListField):
    """Left, top, right, bottom as fractions of the upright photograph. They may be outside 0 to 1."""

    child = serializers.FloatField()


class EyeField(serializers.ChoiceField):
    """An eye, null if it is not known."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(LATERALITY_CHOICES, allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        """Null for an empty text."""
        return str(value) if value else None


EYE_HELP = (
    "The eye that the photograph shows, from the side of the optic disc: `OD` or `OS`; null if that is not clear."
)
CONFIDENCE_HELP = "Calibrated probability of the likelier eye, 0 to 1; null if the photograph is not gradable."


class ModelResultSerializer(serializers.Serializer[Any]):
    """Quality assessment and grade: what gradings and predictions have in common."""

    model = serializers.ChoiceField(MODEL_CHOICES, help_text="The model that grades: `accurate` or `fast`.")
    model_version = serializers.CharField()
    is_gradable = serializers.BooleanField(allow_null=True)
    quality_level = serializers.ChoiceField(
        choices(QUALITY_LEVEL_LABELS),
        allow_null=True,
        help_text="`good`, `usable` (usable with limits: it is graded, but a negative is not a clear negative) or "
        "`ungradable`.",
    )
    p_gradable = serializers.FloatField(allow_null=True, help_text="Probability that the photograph is gradable.")
    grade = serializers.IntegerField(
        allow_null=True, min_value=0, max_value=4, help_text="ICDR severity, 0 to 4; null if ungradable."
    )
    probabilities = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, help_text="Calibrated, for grades 0 to 4; the sum is 1."
    )
    p_at_least = serializers.ListField(
        child=serializers.FloatField(),
        allow_null=True,
        help_text="Probabilities of at least grade 1, 2, 3, 4: sums of `probabilities`. The second is `p_referable`.",
    )
    p_referable = serializers.FloatField(allow_null=True, help_text="Calibrated probability of grade 2 or more.")
    is_referable = serializers.BooleanField(
        allow_null=True,
        help_text="Whether `p_referable` is at least `operating_point`. Null if ungradable, which is not negative.",
    )
    operating_point = serializers.FloatField(allow_null=True)
    p_macular_oedema = serializers.FloatField(
        allow_null=True,
        help_text="Calibrated probability of referable macular oedema. Null if the model does not assess it, or if the "
        "macula is not visible.",
    )
    suspects_oedema = serializers.BooleanField(
        allow_null=True,
        help_text="Whether `p_macular_oedema` is at least `oedema_operating_point`: a suspicion, not a diagnosis. "
        "False and null do not exclude macular oedema.",
    )
    oedema_operating_point = serializers.FloatField(
        allow_null=True,
        help_text="`p_macular_oedema` from which oedema is suspected. Null if the model does not assess it, or if the "
        "photograph is not gradable.",
    )
    is_limited_negative = serializers.BooleanField(
        allow_null=True,
        help_text="True if the result is negative and `quality_level` is `usable`: small lesions could be missed. It "
        "is not a clear negative, and a person must read the photograph.",
    )


class GradingSerializer(RecordSerializer, ModelResultSerializer):
    """The result of one model version for one photograph. Request it until `status` is `done` or `failed`."""

    id = serializers.UUIDField()
    image = serializers.UUIDField(source="image_id")
    exam = serializers.UUIDField(source="exam_id")
    status = serializers.ChoiceField(Grading.Status.choices)
    is_revealed = serializers.BooleanField(
        help_text="False for a reviewer at a blind-first site before the reviewer's own first reading, and for a "
        "photographer at a site that shows photographers the quality alone until the exam is signed: grade, "
        "probabilities, macular oedema and heatmaps are then null."
    )
    quality_reasons = serializers.SerializerMethodField(help_text="Empty if the photograph is of good quality.")
    threshold = serializers.ChoiceField(
        SiteThreshold.Origin.choices,
        source="threshold_origin",
        help_text="What `operating_point` is: that of the `model`, or one of the site, chosen from the `table` of the "
        "model or `fitted` to photographs of the site.",
    )
    threshold_text = serializers.CharField(
        help_text="The sentence to show with a threshold of the site; empty if it is that of the model."
    )
    limitation = serializers.SerializerMethodField(help_text=LIMITATION_HELP)
    oedema_text = serializers.SerializerMethodField(help_text=OEDEMA_TEXT_HELP)
    grade_name = serializers.SerializerMethodField()
    laterality_suggested = EyeField(help_text=EYE_HELP)
    laterality_confidence = serializers.FloatField(allow_null=True, help_text=CONFIDENCE_HELP)
    laterality_conflict = serializers.BooleanField(
        source="has_laterality_conflict",
        help_text="Whether `laterality_suggested` is the other eye than the one that the photograph is recorded for. "
        "A person decides: nothing is moved by itself.",
    )
    n_attempts = serializers.IntegerField()
    queued_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(
        allow_null=True,
        help_text="When the photograph was sent to be graded. Null while `queued` if the queue is unavailable: the "
        "photograph is stored and is sent later. Do not upload it again.",
    )
    finished_at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    failure_code = serializers.CharField(help_text="Empty unless `failed`.")
    failure_text = serializers.CharField(help_text="What failed and what to do. Empty unless `failed`.")
    created_at = serializers.DateTimeField()

    def to_representation(self, instance: Grading) -> dict[str, Any]:
        """Hides the grade before the first reading."""
        body: dict[str, Any] = super().to_representation(instance)
        body["quality_level"] = body["quality_level"] or None
        if not body["is_revealed"]:
            body |= dict.fromkeys(_HIDDEN_FIELDS & body.keys())
        return body

    @extend_schema_field(QualityReasonSerializer(many=True))
    def get_quality_reasons(self, grading: Grading) -> list[dict[str, str]]:
        """Reasons of a photograph that is not of good quality."""
        is_poor = grading.quality_level in {QualityLevel.USABLE, QualityLevel.UNGRADABLE}
        return describe_quality_reasons(grading.quality_reasons) if is_poor else []

    @extend_schema_field({"type": "string", "nullable": True})
    def get_limitation(self, grading: Grading) -> str:
        """What limits a negative result. Null as the other results before they are revealed."""
        return limitation_of(grading)

    @extend_schema_field({"type": "string", "nullable": True})
    def get_oedema_text(self, grading: Grading) -> str:
        """What the model says about macular oedema."""
        return oedema_text(grading)

    def get_grade_name(self, grading: Grading) -> str | None:
        """Label of the grade."""
        return grade_label(grading.grade)


class GradingDetailSerializer(GradingSerializer):
    """A grading with its heatmaps."""

    heatmap = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        allow_null=True,
        help_text="Evidence for the predicted grade (Grad-CAM): rows of numbers in 0 to 1. Not a map of lesions.",
    )
    heatmap_box = BoxField(allow_null=True, help_text="Position of both heatmaps on the upright photograph.")
    oedema_heatmap = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        allow_null=True,
        help_text="Evidence for macular oedema, as `heatmap` for the grade.",
    )


def grade_label(grade: int | None) -> str | None:
    """Label of a grade; None without one."""
    return None if grade is None else str(GRADE_LABELS[grade])


def describe_quality_reasons(codes: Iterable[str]) -> list[dict[str, str]]:
    """Problem and advice for each code of a photograph that is not good; UNCLEAR if there is none."""
    known = {reason.value: advice for reason, advice in QUALITY_ADVICE.items()}
    return [
        {"code": code, "problem": str(advice.problem), "advice": str(advice.advice)}
        for code in list(codes) or [UNCLEAR]
        for advice in [known.get(code, FALLBACK)]
    ]


def all_quality_reasons() -> list[dict[str, str]]:
    """All quality reasons of the model."""
    return describe_quality_reasons(reason.value for reason in QualityReason)


def disclaimer() -> str:
    """The sentences to show with each result."""
    return _(
        "Decision support for clinicians, not a certified medical device. A colour photograph cannot exclude "
        "macular oedema: a clinician must check for it in every photograph."
    )


class GradingQuerySerializer(serializers.Serializer[Any]):
    """Filters of gradings."""

    status = serializers.ChoiceField(Grading.Status.choices, required=False)
    exam = serializers.UUIDField(required=False, help_text="Of this exam only.")
    image = serializers.UUIDField(required=False, help_text="Of this photograph only.")
