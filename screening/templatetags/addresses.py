"""Addresses of records in the rows of lists."""

import uuid
from functools import lru_cache

from django import template
from django.urls import get_script_prefix, reverse

register = template.Library()
_ANY_ID = uuid.UUID(int=0)


@register.simple_tag
def record_url(route: str, record_id: uuid.UUID) -> str:
    """As ``{% url route record_id %}``, of a route with one id. It is resolved once and not for each row of a list."""
    return _address(route, get_script_prefix()).replace(str(_ANY_ID), str(record_id))


@lru_cache(maxsize=256)
def _address(route: str, _prefix: str) -> str:
    return reverse(route, args=[_ANY_ID])
