"""Messages of the last action, with the form that undoes it."""

from typing import Any
from urllib.parse import parse_qsl

from django import template
from django.contrib.messages.storage.base import Message

register = template.Library()


@register.simple_tag
def undo_of(message: Message) -> dict[str, Any] | None:
    """Address and fields of the form that undoes an action (``views.messages.undo_by``); None if nothing does."""
    url, mark, query = (message.extra_tags or "").partition("?")
    return {"url": url, "fields": parse_qsl(query, keep_blank_values=True)} if mark else None
