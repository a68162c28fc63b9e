"""Links of the menu by what the user may do."""

from contextlib import suppress
from typing import Any

from django import template
from django.core.cache import cache
from redis import RedisError

from screening.access import actions_of
from screening.models import User

register = template.Library()
MENU_CACHED_S = 20
_CACHE_ERRORS = (RedisError, OSError)


@register.simple_tag
def actions(user: Any) -> list[str]:
    """What the user may do at any site, at most ``MENU_CACHED_S`` old. NB: for links only; views check access."""
    if not isinstance(user, User):
        return []
    key = f"actions:{user.pk}"
    with suppress(*_CACHE_ERRORS):
        if (cached := cache.get(key)) is not None:
            return list(cached)
    found = sorted(action.value for action in actions_of(user))
    with suppress(*_CACHE_ERRORS):
        cache.set(key, found, MENU_CACHED_S)
    return found
