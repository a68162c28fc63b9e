"""Parameters of a search. One that the server does not know is refused: without it, the result would be another."""

import datetime
import re
from collections.abc import Collection
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

REPEATABLE = {"_lastUpdated", "_include"}
MAX_VALUES = 100
"""Values of one parameter, separated by commas."""
_DATE = re.compile(r"(eq|ge|gt|le|lt|)(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_MOMENT = re.compile(r"(eq|ge|gt|le|lt|)(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d))")
Period = tuple[datetime.datetime | None, datetime.datetime | None]
"""From the first moment on, and before the second."""


def require_known(parameters: QueryDict, known: Collection[str]) -> None:
    """Raises ValidationError for a parameter that is not known, has no value, or is repeated."""
    errors = {}
    for name, values in parameters.lists():
        if name not in known:
            message = _("This parameter is not supported. Those that are: %(names)s.")
            errors[name] = message % {"names": ", ".join(sorted(known))}
        elif any("\x00" in value or not value.strip() for value in values):
            errors[name] = _("This parameter has no value.")
        elif len(values) > 1 and name not in REPEATABLE:
            errors[name] = _("Send this parameter once, with commas between values.")
    if errors:
        raise ValidationError(errors)


def chosen(parameters: QueryDict, name: str, choices: Collection[str], *, system: str = "") -> list[str]:
    """The values of a parameter, all of them of ``choices``, also as system, bar and code; none without the parameter.

    Raises ValidationError.
    """
    values = [value.removeprefix(f"{system}|") for value in _values(parameters, name)]
    if not set(values) <= set(choices):
        raise ValidationError({name: _("Choose from: %(choices)s.") % {"choices": ", ".join(choices)}})
    return values


def tokens(parameters: QueryDict, name: str = "_id") -> list[str] | None:
    """The ids or codes of a parameter; None without it. Raises ValidationError."""
    return _values(parameters, name) if name in parameters else None


def uuids(found: list[str]) -> list[UUID]:
    """Those of the ids that could be ours."""
    return [one for one in map(_uuid, found) if one is not None]


def patient_id(parameters: QueryDict, *, base: str) -> UUID | None:
    """The patient whom a parameter refers to: by id, as ``Patient/`` and id, or by the address at ``base``; None
    without one. Raises ValidationError for another reference, or two.
    """
    given = [name for name in ("patient", "subject") if name in parameters]
    if len(given) > 1:
        raise ValidationError(
            dict.fromkeys(given, _("Send one of these parameters: %(names)s.") % {"names": ", ".join(given)})
        )
    if not given:
        return None
    found = _uuid(str(parameters[given[0]]).removeprefix(base).removeprefix("Patient/"))
    if found is None:
        raise ValidationError({given[0]: _("Send the id of one patient, such as Patient/ and its id.")})
    return found


def period(parameters: QueryDict, name: str = "_lastUpdated") -> Period:
    """What all values of a parameter have in common: a date or a moment with a prefix (``eq``, ``ge``, ``gt``, ``le``,
    ``lt``). A date means all of its day, month or year, in UTC. Raises ValidationError.
    """
    start, end = None, None
    for text in parameters.getlist(name):
        limits = _limits(text)
        if limits is None:
            message = _("Send a date or a moment with its time zone, such as ge2027-01-31 or lt2027-01-31T08:30:00Z.")
            raise ValidationError({name: message})
        start = _latest(start, limits[0])
        end = _earliest(end, limits[1])
    return start, end


def _values(parameters: QueryDict, name: str) -> list[str]:
    values = [value for text in parameters.getlist(name) for value in text.split(",")]
    if len(values) > MAX_VALUES:
        raise ValidationError({name: _("Send at most %(limit)d values.") % {"limit": MAX_VALUES}})
    return values


def _uuid(text: str) -> UUID | None:
    """NB: ``UUID`` also reads texts with braces, or without dashes."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None


def _limits(text: str) -> Period | None:
    prefix, first, after = "", None, None
    try:
        if match := _DATE.fullmatch(text):
            prefix, first, after = match[1], *_days(int(match[2]), int(match[3] or 0), int(match[4] or 0))
        elif match := _MOMENT.fullmatch(text):
            first = datetime.datetime.fromisoformat(match[2]).astimezone(datetime.UTC)
            unit = datetime.timedelta(microseconds=1) if "." in text else datetime.timedelta(seconds=1)
            prefix, after = match[1], first + unit
    except (ValueError, OverflowError):
        return None
    if first is None or after is None:
        return None
    return {"": (first, after), "eq": (first, after), "ge": (first, None), "gt": (after, None)}.get(
        prefix, (None, first if prefix == "lt" else after)
    )


def _days(year: int, month: int, day: int) -> tuple[datetime.datetime, datetime.datetime]:
    """The first moment of a day, month or year in UTC, and that of the next one. Raises ValueError, OverflowError."""
    first = datetime.datetime(year, month or 1, day or 1, tzinfo=datetime.UTC)
    if day:
        return first, first + datetime.timedelta(days=1)
    if month:
        return first, datetime.datetime(year + month // 12, month % 12 + 1, 1, tzinfo=datetime.UTC)
    return first, datetime.datetime(year + 1, 1, 1, tzinfo=datetime.UTC)


def _latest(first: datetime.datetime | None, second: datetime.datetime | None) -> datetime.datetime | None:
    return max(filter(None, (first, second)), default=None)


def _earliest(first: datetime.datetime | None, second: datetime.datetime | None) -> datetime.datetime | None:
    return min(filter(None, (first, second)), default=None)
