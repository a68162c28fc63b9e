"""Exams: both eyes with their photographs, and the signed review."""

from functools import cache
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ml.vocabulary import Laterality
from screening.api.serializers.exam_locks import ExamLockSerializer
from screening.api.serializers.images import ImageSerializer
from screening.api.serializers.readings import ReadingSerializer
from screening.api.serializers.records import RecordSerializer
from screening.api.serializers.reviews import ReviewSerializer
from screening.api.serializers.visit_facts import AcuitySerializer, VisitFactsSerializer
from screening.labels.exam_states import EXAM_STATE_CHOICES
from screening.labels.eyes import LATERALITY_CHOICES
from screening.labels.worklist import READING_URGENCY_CHOICES
from screening.models import Exam, FundusImage, Reading
from screening.models.base import max_length
from screening.policy.exam_states import ExamState
from screening.services.exams import FactsMissing, FieldsMissing


class NewExamSerializer(serializers.Serializer[Any]):
    """A new exam."""

    patient = serializers.UUIDField(help_text="`id` of the patient.")


class AbsentEyeSerializer(serializers.Serializer[Any]):
    """The reason why an eye can never be photographed."""

    laterality = serializers.ChoiceField(LATERALITY_CHOICES)
    reason = serializers.CharField(
        max_length=max_length(Exam, "right_eye_absent_reason"),
        allow_blank=True,
        help_text="For example: prosthesis. Empty deletes the record.",
    )


class NotPhotographedSerializer(serializers.Serializer[Any]):
    """The reason why an eye has no photograph at this visit."""

    laterality = serializers.ChoiceField(LATERALITY_CHOICES)
    reason = serializers.CharField(
        max_length=max_length(Exam, "right_eye_not_photographed_reason"),
        allow_blank=True,
        help_text="For example: the patient cannot keep the eye open. Empty deletes the record.",
    )


class UnobtainableSerializer(serializers.Serializer[Any]):
    """Why no gradable photograph of a present eye can be obtained by camera."""

    laterality = serializers.ChoiceField(LATERALITY_CHOICES)
    code = serializers.ChoiceField(
        Exam.Unobtainable.choices, allow_blank=True, help_text="Empty deletes the record. `other` needs a `reason`."
    )
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=max_length(Exam, "right_eye_unobtainable_reason")
    )


class SubmitSerializer(serializers.Serializer[Any]):
    """The submission of an exam."""

    confirm = serializers.ListField(
        child=serializers.ChoiceField([FieldsMissing.CODE, FactsMissing.CODE]),
        max_length=2,
        default=list,
        help_text="Send `confirm` of a 409 to submit the exam nevertheless. `fields_missing`: without a photograph "
        "that the site requires; `facts_missing`: without a fact of the visit that it requires.",
    )
    reading_urgency = serializers.ChoiceField(
        READING_URGENCY_CHOICES,
        required=False,
        help_text="How soon a person should read it. With the target of the site it gives `due_at`. Without it, that "
        "of the exam stays: `routine`, or what an earlier submission chose.",
    )


@extend_schema_field({"type": "string", "enum": [*Exam.Unobtainable.values, ""]})
class UnobtainableField(serializers.CharField):
    """Why no photograph of an eye can be obtained."""


class ExamQuerySerializer(serializers.Serializer[Any]):
    """Filters of exams."""

    status = serializers.ChoiceField(
        EXAM_STATE_CHOICES,
        required=False,
        error_messages={"invalid_choice": _("Choose one of: %(states)s.") % {"states": ", ".join(ExamState)}},
    )
    patient = serializers.UUIDField(required=False, help_text="Of this patient only.")


class EyeSerializer(serializers.Serializer[Any]):
    """One eye of an exam."""

    laterality = serializers.ChoiceField(LATERALITY_CHOICES)
    absent_reason = serializers.CharField(help_text="Empty if the eye is present.")
    not_photographed_reason = serializers.CharField(
        help_text="Why the eye has no photograph at this visit. Such an eye is never a negative."
    )
    unobtainable = UnobtainableField(
        help_text="Why no gradable photograph can be obtained, after three attempts. Unless the reviewer can grade the "
        "eye, it is referred for slit-lamp examination. Empty if it was not recorded."
    )
    unobtainable_text = serializers.CharField(help_text="`unobtainable` in words.")
    acuity = AcuitySerializer(allow_null=True, help_text="Null if none is recorded at this visit.")
    images = ImageSerializer(many=True, help_text="Photographs in use, oldest first.")


class ExamSerializer(RecordSerializer, serializers.ModelSerializer[Exam]):
    """An exam. `status` is the progress of people; each grading has its own. `review` is the newest signed review."""

    site = serializers.SlugField(source="site.code", help_text="Code of the site.")
    patient = serializers.UUIDField(source="patient_id")
    eyes = serializers.SerializerMethodField(help_text="Right, then left.")
    n_pending = serializers.SerializerMethodField(help_text="Gradings that are queued or running.")
    visit_facts = serializers.SerializerMethodField(help_text="Null if none are recorded.")
    lock = serializers.SerializerMethodField(help_text="Who reads the exam. Null if it is free.")
    readings = serializers.SerializerMethodField(
        help_text="Signed readings of this reading round, if the protocol of the site demands more than one. While a "
        "second reader is waited for, a reader sees the own one only, and other users none."
    )
    review = serializers.SerializerMethodField(help_text="Null until the result is signed.")

    class Meta:
        model = Exam
        fields = (
            "id",
            "site",
            "patient",
            "status",
            "created_at",
            "submitted_at",
            "reading_urgency",
            "due_at",
            "returned_at",
            "returned_reason",
            "lock",
            "n_pending",
            "eyes",
            "visit_facts",
            "readings",
            "review",
        )
        read_only_fields = fields

    @extend_schema_field(EyeSerializer(many=True))
    def get_eyes(self, exam: Exam) -> Any:
        """Both eyes, from the prefetched photographs."""
        eyes = [
            {
                "laterality": eye,
                "absent_reason": exam.absent_reason(eye),
                "not_photographed_reason": exam.not_photographed_reason(eye),
                "unobtainable": exam.unobtainable(eye),
                "unobtainable_text": exam.unobtainable_text(eye),
                "acuity": next((one for one in exam.acuities.all() if one.laterality == eye), None),
                "images": [image for image in _images(exam) if image.laterality == eye],
            }
            for eye in Laterality
        ]
        return [_shared(EyeSerializer).to_representation(eye) for eye in eyes]

    def get_n_pending(self, exam: Exam) -> int:
        """Number of photographs without a finished grading."""
        newest = [next(iter(image.gradings.all()), None) for image in _images(exam)]
        return sum(1 for grading in newest if grading is not None and grading.is_pending)

    @extend_schema_field(VisitFactsSerializer(allow_null=True))
    def get_visit_facts(self, exam: Exam) -> Any:
        """Those of the exam, which ``selectors.list_exams`` loads."""
        facts = getattr(exam, "visit_facts", None)
        return None if facts is None else _shared(VisitFactsSerializer).to_representation(facts)

    @extend_schema_field(ExamLockSerializer(allow_null=True))
    def get_lock(self, exam: Exam) -> Any:
        """The lock in force, which ``selectors.list_exams`` loads."""
        lock = getattr(exam, "lock", None)
        return _shared(ExamLockSerializer).to_representation(lock) if lock is not None and lock.is_in_force() else None

    @extend_schema_field(ReadingSerializer(many=True))
    def get_readings(self, exam: Exam) -> Any:
        """Those of the present round that the user may see."""
        loaded: list[Reading] = exam.visible_readings  # type: ignore[attr-defined]  # selectors.list_exams loads it
        return [_shared(ReadingSerializer).to_representation(one) for one in loaded]

    @extend_schema_field(ReviewSerializer(allow_null=True))
    def get_review(self, exam: Exam) -> Any:
        """The prefetched newest review."""
        current = next(iter(exam.current_reviews), None)  # type: ignore[attr-defined]  # selectors.list_exams loads it
        return None if current is None else _shared(ReviewSerializer).to_representation(current)


@cache
def _shared(serializer: type[serializers.BaseSerializer[Any]]) -> serializers.BaseSerializer[Any]:
    """One for all requests: to create a serializer takes longer than to use it."""
    return serializer()


def _images(exam: Exam) -> list[FundusImage]:
    loaded: list[FundusImage] = exam.images_in_use  # type: ignore[attr-defined]  # selectors.list_exams loads it
    return loaded
