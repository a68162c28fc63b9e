"""Gradings: the result of the model for a photograph, and its progress."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from ml.vocabulary import QualityReason
from screening.labels.grades import GRADE_LABELS
from screening.labels.quality import FALLBACK, QUALITY_ADVICE
from screening.models import Grading

_MODEL_FIELDS = ("grade", "grade_name", "probabilities", "p_referable", "is_referable", "heatmap", "heatmap_box")
UNCLEAR = "unclear"
"""Ungradable for a reason that has no word of its own."""


class QualityReasonSerializer(serializers.Serializer[dict[str, str]]):
    """Why a photograph cannot be graded, and what the photographer does about it."""

    code = serializers.CharField(help_text="`no_retina`, `blurred`, `too_dark`, ... or `unclear`.")
    problem = serializers.CharField()
    advice = serializers.CharField()


class BoxField(serializers.ListField):
    """Left, top, right, bottom as shares of the upright photograph's width and height; may reach outside 0 to 1."""

    child = serializers.FloatField()


class VerdictSerializer(serializers.Serializer[Any]):
    """The quality and the grade, as gradings and predictions share them."""

    model_version = serializers.CharField()
    is_gradable = serializers.BooleanField(allow_null=True)
    p_gradable = serializers.FloatField(allow_null=True, help_text="Probability that it is gradable.")
    quality_reasons = QualityReasonSerializer(many=True, help_text="Empty for a gradable photograph.")
    grade = serializers.IntegerField(
        allow_null=True, min_value=0, max_value=4, help_text="ICDR severity, 0 to 4; null when not gradable."
    )
    grade_name = serializers.CharField(allow_null=True)
    probabilities = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, help_text="Calibrated, of grades 0 to 4; they sum to 1."
    )
    p_referable = serializers.FloatField(allow_null=True, help_text="Calibrated probability of grade 2 or more.")
    is_referable = serializers.BooleanField(
        allow_null=True, help_text="`p_referable` is at least `operating_point`. Null when not gradable: not negative!"
    )
    operating_point = serializers.FloatField(allow_null=True)


class GradingSerializer(VerdictSerializer):
    """A photograph read by one version of the model. Ask again until `status` is `done` or `failed`."""

    id = serializers.UUIDField()
    image = serializers.UUIDField(source="image_id")
    exam = serializers.UUIDField(source="exam_id")
    status = serializers.ChoiceField(Grading.Status.choices)
    is_revealed = serializers.BooleanField(
        help_text="False for a reviewer at a site that reads blind first, until their own first reading: the grade and "
        "all that tells it are then null."
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
    failure_text = serializers.CharField(help_text="A sentence: what failed and what to do.")
    created_at = serializers.DateTimeField()

    def to_representation(self, instance: Grading) -> dict[str, Any]:
        """Blank the grade for whoever must read first."""
        is_ungradable = instance.status == Grading.Status.DONE and not instance.is_gradable
        shown = _Shown(instance, instance.quality_reasons if is_ungradable else (), is_ungradable=is_ungradable)
        answer: dict[str, Any] = super().to_representation(shown)
        if not answer["is_revealed"]:
            answer |= dict.fromkeys(_MODEL_FIELDS & answer.keys())
        return answer


class GradingDetailSerializer(GradingSerializer):
    """A grading with its heatmap."""

    heatmap = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        allow_null=True,
        help_text="Where the model looked for this grade: rows of numbers in 0 to 1. Not a map of lesions.",
    )
    heatmap_box = BoxField(allow_null=True, help_text="Where the grid lies on the upright photograph.")


class _Shown:
    """A grading with the words that are not stored."""

    def __init__(self, grading: Grading, reasons: Iterable[str], *, is_ungradable: bool) -> None:
        self._grading = grading
        self.quality_reasons = describe_quality_reasons(reasons, is_ungradable=is_ungradable)
        self.grade_name = grade_label(grading.grade)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._grading, name)


def grade_label(grade: int | None) -> str | None:
    """The grade in words; None where there is none."""
    return None if grade is None else str(GRADE_LABELS[grade])


def describe_quality_reasons(codes: Iterable[str], *, is_ungradable: bool) -> list[dict[str, str]]:
    """Each code with problem and advice; an ungradable photograph always says at least one."""
    known = {reason.value: advice for reason, advice in QUALITY_ADVICE.items()}
    codes = list(codes) or ([UNCLEAR] if is_ungradable else [])
    return [
        {
            "code": code,
            "problem": str(known.get(code, FALLBACK).problem),
            "advice": str(known.get(code, FALLBACK).advice),
        }
        for code in codes
    ]


def all_quality_reasons() -> list[dict[str, str]]:
    """Every reason the model may give."""
    return describe_quality_reasons([reason.value for reason in QualityReason], is_ungradable=False)


def disclaimer() -> str:
    """What every prediction says of itself."""
    return _(
        "Decision support for clinicians, not a certified medical device. Macular oedema is not graded: a clinician "
        "must look for it in every photograph."
    )
