"""Columns of exported lists: resources of django-import-export whose cells keep their types.

Only the columns are that library's. Its own export collects all rows in memory (``tablib.Dataset``).
"""

import datetime
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from import_export.fields import Field
from import_export.resources import Resource
from import_export.widgets import Widget

from screening.spreadsheets.cells import Value

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class _Native(Widget):  # type: ignore[misc]  # the package has no types
    """Leaves a value as it is: ``spreadsheets.writing`` writes days as days and texts as texts."""

    def render(self, value: Any, obj: Any = None, **_kwargs: Any) -> Any:
        return value


def column(label: "_StrPromise", value: str | Callable[[Any], Value | object]) -> Field:
    """A column by the path of an attribute, such as ``exam__patient__mrn``, or by a function of the row."""
    if callable(value):
        return Field(column_name=label, dehydrate_method=value, widget=_Native())
    return Field(column_name=label, attribute=value, widget=_Native())


class ListColumns(Resource):  # type: ignore[misc]  # the package has no types
    """The columns of a list, in the order in which a class declares them."""

    def head(self) -> list[str]:
        """Names of the columns in the language of the request."""
        return [str(name) for name in self.get_export_headers()]

    def rows(self, found: Any, chunk_size: int) -> Iterator[list[Value]]:
        """The cells of each row. The rows are read in chunks, also those of related tables."""
        return self.cells(found.iterator(chunk_size=chunk_size))

    def cells(self, found: Iterable[Any]) -> Iterator[list[Value]]:
        """The cells of each of these rows."""
        fields = self.get_export_fields()
        for one in found:
            yield [_plain(self.export_field(field, one)) for field in fields]


def day_of(value: datetime.datetime | None, site: Any) -> datetime.date | None:
    """The day of a moment at a site."""
    return None if value is None else timezone.localdate(value, site.zone)


def moment_of(value: datetime.datetime | None, site: Any) -> datetime.datetime | None:
    """A moment in the time zone of a site."""
    return None if value is None else timezone.localtime(value, site.zone)


def birth_of(patient: Any) -> Value:
    """A birth date as a day, if it is known to the day; else as a text."""
    text: str = patient.born_on
    return datetime.date.fromisoformat(text) if len(text) == len("1960-05-17") else text


def _plain(value: Any) -> Value:
    """Texts that are translated later become those of the request."""
    return value if value is None or isinstance(value, (int, float, datetime.date, datetime.time)) else str(value)
