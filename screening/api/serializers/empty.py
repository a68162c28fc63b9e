"""Requests without a body or a query."""

from typing import Any

from rest_framework import serializers


class EmptySerializer(serializers.Serializer[Any]):
    """No fields: any that is sent is refused."""
