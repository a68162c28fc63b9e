"""Locks of exams: who reads an exam, and until when."""

from typing import Any

from rest_framework import serializers

from screening.api.serializers.errors import ErrorSerializer
from screening.models import ExamLock


class ExamLockSerializer(serializers.ModelSerializer[ExamLock]):
    """The reader who has taken a waiting exam. Each activity extends the lock; afterwards it ends by itself."""

    holder = serializers.CharField(help_text="Name of the reader.")
    holder_id = serializers.UUIDField(help_text="For `take_over_from`.")

    class Meta:
        model = ExamLock
        fields = ("holder", "holder_id", "taken_at", "active_at", "expires_at")
        read_only_fields = fields


class LockConflictSerializer(ErrorSerializer):
    """An exam that is not taken."""

    lock = ExamLockSerializer(required=False, help_text="With `exam_locked`: who reads the exam.")


class TakeSerializer(serializers.Serializer[Any]):
    """The taking of an exam."""

    take_over_from = serializers.UUIDField(
        required=False,
        help_text="Send `lock.holder_id` of a 409 to take the exam from that reader, who then cannot sign it.",
    )
