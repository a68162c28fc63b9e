"""Icons of Lucide (ISC licence), from the package ``lucide``."""

from functools import lru_cache

from django import template
from django.utils.safestring import SafeString
from lucide.templatetags.lucide import lucide

register = template.Library()
DIRECTIONAL = {"undo-2"}
"""Icons that point backward: they are mirrored in languages that are written from right to left."""


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon in the size and colour of the text beside it. Screen readers skip it: the text has the meaning.

    ``name`` is one of Lucide: https://lucide.dev/icons. Raises IconDoesNotExist for another.
    """
    return _svg(str(name))


@lru_cache(maxsize=256)
def _svg(name: str) -> SafeString:
    classes = "icon is-directional" if name in DIRECTIONAL else "icon"
    return SafeString(lucide(name, size=20, **{"class": classes, "aria_hidden": "true"}))
