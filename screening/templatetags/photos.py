"""Limits of uploaded photographs."""

from django import template

from screening.photos.validation import MAX_MB

register = template.Library()


@register.simple_tag
def max_photo_mb() -> int:
    """The largest size of a photograph in MB."""
    return MAX_MB
