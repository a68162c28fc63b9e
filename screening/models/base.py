"""The base class of models, and the length limits of their text columns."""

import uuid
from typing import Any

from django.db import models
from django.utils.encoding import force_str
from django.utils.translation import gettext_lazy as _


class BaseModel(models.Model):
    """A model with a random id and the time of its creation."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        abstract = True

    def _get_FIELD_display(self, field: Any) -> str:  # noqa: N802 (of Django, for ``get_status_display`` and others)
        """As Django, which translates all choices twice to find one."""
        value = getattr(self, field.attname)
        shown = next((text for one, text in field.flatchoices if one == value), value)
        text: str = force_str(shown, strings_only=True)
        return text


def max_length(model: type[models.Model], field: str) -> int:
    """Length limit of a text column in characters. NB: SQLite does not enforce it."""
    column: Any = model._meta.get_field(field)
    return int(column.max_length)
