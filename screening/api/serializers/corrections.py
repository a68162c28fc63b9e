"""Corrections: reasons, and where records are moved."""

from typing import Any

from rest_framework import serializers

from screening.models import Correction, FundusImage
from screening.models.base import max_length


class ReasonSerializer(serializers.Serializer[Any]):
    """A reason, which is kept with the record."""

    reason = serializers.CharField(max_length=max_length(Correction, "reason"), help_text="Without names.")


class CancelSerializer(serializers.Serializer[Any]):
    """The reason to cancel, if any."""

    reason = serializers.CharField(max_length=max_length(Correction, "reason"), allow_blank=True, default="")


class MoveSerializer(ReasonSerializer):
    """The right patient, and the reason."""

    patient = serializers.UUIDField(help_text="`id` of the patient to whom the record belongs.")


class MergeSerializer(ReasonSerializer):
    """The other record of the same person, and the reason."""

    into = serializers.UUIDField(help_text="`id` of the record that is used from now on.")


class WithdrawSerializer(serializers.Serializer[Any]):
    """Why a photograph is withdrawn."""

    code = serializers.ChoiceField(FundusImage.WithdrawnCode.choices)
    reason = serializers.CharField(
        max_length=max_length(FundusImage, "withdrawn_reason"),
        allow_blank=True,
        default="",
        help_text="In words. Needed for `other`.",
    )
