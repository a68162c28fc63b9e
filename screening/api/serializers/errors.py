"""The shape of every error."""

from rest_framework import serializers


class ErrorSerializer(serializers.Serializer[dict[str, object]]):
    """What went wrong: a word for programs, a sentence for people, and what is wrong where."""

    code = serializers.CharField(help_text="A word for programs; it does not change between releases.")
    message = serializers.CharField(help_text="One sentence for people: what is wrong and what to do.")
    fields = serializers.DictField(  # type: ignore[assignment]  # the word of the contract; DRF's own is built apart
        child=serializers.CharField(), help_text="The fields that are wrong, each with its sentence. Often empty."
    )


class ExistingSerializer(ErrorSerializer):
    """What is there already."""

    existing_id = serializers.UUIDField(help_text="The record that is there already.")
