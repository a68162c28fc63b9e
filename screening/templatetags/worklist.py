"""The worklist in the menu of every page."""

from typing import Any

from django import template

from screening.models import User
from screening.selectors.worklist_counts import WorklistCounts, menu_counts

register = template.Library()


@register.simple_tag
def worklist_counts(user: Any) -> WorklistCounts | None:
    """How many exams wait for a reader; None for a user who reads none."""
    return menu_counts(user) if isinstance(user, User) else None
