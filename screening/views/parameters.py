"""Parameters in the addresses of pages: one that is misspelt or empty is refused, and never ignored."""

import datetime
from collections.abc import Collection

from django.core.exceptions import BadRequest
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

MAX_PAGE_DIGITS = 6
_MAX_SHOWN = 40


class InvalidParameter(BadRequest):
    """A parameter or its value cannot be used (400). The message is for the user."""


def require_parameters(request: HttpRequest, *, known: Collection[str]) -> None:
    """Raise InvalidParameter for a parameter that the page does not have."""
    for name in request.GET:
        if name not in known:
            raise InvalidParameter(
                _("This page has no parameter “%(name)s”. Check its spelling, or leave it out.")
                % {"name": name[:_MAX_SHOWN]}
            )


def value_of(data: QueryDict, name: str, *, values: Collection[str], default: str) -> str:
    """The value of a filter of an address or a form, ``default`` without one.

    Raises InvalidParameter for a value not in ``values``.
    """
    value = data.get(name, default)
    if value not in values:
        raise InvalidParameter(
            _("“%(value)s” is not a value of “%(name)s”. Choose one of: %(values)s.")
            % {"value": str(value)[:_MAX_SHOWN], "name": name, "values": ", ".join(values)}
        )
    return str(value)


def day_value(data: QueryDict, name: str) -> datetime.date | None:
    """A day of an address or a form, None without one. Raises InvalidParameter for another text."""
    text = data.get(name, "")
    try:
        day = datetime.date.fromisoformat(str(text)) if text else None
    except ValueError as error:
        raise InvalidParameter(_("“%(name)s” is a date, such as 2027-01-31.") % {"name": name}) from error
    if day is not None and not 1900 <= day.year <= 2900:
        raise InvalidParameter(_("“%(name)s” is a date, such as 2027-01-31.") % {"name": name})
    return day


def page_number(request: HttpRequest) -> int:
    """``?page=``, from 1; 1 without it. Raises InvalidParameter for another value.

    A page after the last one is not an error: a list becomes shorter while it is read.
    """
    text = request.GET.get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_PAGE_DIGITS and int(text) > 0):
        raise InvalidParameter(_("“page” is the number of a page, from 1."))
    return int(text)
