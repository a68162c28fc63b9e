"""Errors."""

from rest_framework import serializers


class ErrorSerializer(serializers.Serializer[dict[str, object]]):
    """An error: a code for programs, a message for people, and a message for each wrong field."""

    code = serializers.CharField(help_text="For programs. Codes are the same in all releases.")
    message = serializers.CharField(help_text="For people: what is wrong and what to do.")
    fields = serializers.DictField(  # type: ignore[assignment]  # the name in the API; DRF keeps its fields elsewhere
        child=serializers.CharField(), help_text="A message for each wrong field. Often empty."
    )


class ExistingSerializer(ErrorSerializer):
    """A conflict with an existing record."""

    existing_id = serializers.UUIDField(help_text="`id` of the existing record.")
