"""Fields of a request that are unknown or sent twice."""

from collections.abc import Collection, Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.translation import gettext as _

MAX_NAMED, MAX_NAME_LENGTH = 10, 40
"""Unknown names in one response, and their length."""


def surplus_errors(data: Any, *, known: Collection[str], repeatable: Collection[str] = ()) -> dict[str, list[str]]:
    """A message for each field of a request that is unknown, or that is sent more than once in a form or a query.

    A misspelt or repeated field is never ignored in silence: of two photographs one would not be looked at.
    """
    if not isinstance(data, Mapping):
        return {}  # the serializer refuses it
    errors: dict[str, list[str]] = {}
    for name in data:
        values = data.getlist(name) if isinstance(data, QueryDict) and name not in repeatable else [data[name]]
        message, short = _message(values, is_known=name in known), str(name)[:MAX_NAME_LENGTH]
        if message and len(errors) < MAX_NAMED:
            errors[short] = [message % {"name": short}]
    return errors


def blank_errors(data: Any, *, fields: Mapping[str, Any]) -> dict[str, list[str]]:
    """A message for each field of a form or a query that is empty, and whose value may not be empty.

    DRF takes such a field for one that was not sent: an empty filter would list everything.
    """
    if not isinstance(data, QueryDict):
        return {}
    message = _("“%(name)s” is empty. Give it a value, or leave it out.")
    return {
        name: [message % {"name": name}]
        for name, field in fields.items()
        if data.get(name) == "" and not getattr(field, "allow_blank", False)
    }


def _message(values: list[Any], *, is_known: bool) -> str:
    if not is_known and any(isinstance(value, UploadedFile) for value in values):
        return _("There is no file “%(name)s” here. Send one file in each request.")
    if not is_known:
        return _("There is no field “%(name)s” here. Check its spelling, or leave it out.")
    return _("“%(name)s” is sent more than once. Send it once.") if len(values) > 1 else ""
