"""Uploads in parts."""

from typing import Any

from rest_framework import serializers

from screening.models import PhotoUpload


class UploadSerializer(serializers.ModelSerializer[PhotoUpload]):
    """A file that is sent in parts, until it is added to its exam. No other account sees it."""

    exam = serializers.UUIDField(source="exam_id")
    is_complete = serializers.BooleanField(help_text="Whether all bytes are received.")
    laterality = serializers.CharField(help_text="A suggestion, `OD` or `OS`; empty without one.")
    field = serializers.CharField(help_text="A suggestion; empty without one.")

    class Meta:
        model = PhotoUpload
        fields = (
            "id",
            "exam",
            "n_bytes",
            "n_received",
            "is_complete",
            "laterality",
            "field",
            "created_at",
            "expires_at",
        )
        read_only_fields = fields


class UnpackedFileSerializer(serializers.Serializer[Any]):
    """A file of an archive."""

    name = serializers.CharField(help_text="Its name without folders. It is not stored.")
    upload = UploadSerializer(allow_null=True, help_text="Its upload; null if it is no photograph.")
    message = serializers.CharField(help_text="Why it is no photograph; empty if it is one.")


class UnpackedSerializer(serializers.Serializer[Any]):
    """What an archive had in it. In the response to a repeated request: the uploads that wait, without names."""

    id = serializers.UUIDField(help_text="`id` of the exam.")
    files = UnpackedFileSerializer(many=True)
