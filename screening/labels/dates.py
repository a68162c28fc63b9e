"""Days and moments as people read them: in the format of the language, with the month as a word if it has one."""

import datetime
from functools import lru_cache

from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import get_language


def day_text(value: datetime.date | None, zone: datetime.tzinfo | None = None) -> str:
    """``27 Nov 2026``; of a moment, the day in ``zone``. A dash for None."""
    if value is None:
        return "–"
    if isinstance(value, datetime.datetime):
        value = timezone.localdate(value, zone)
    return _formatted(value, "DATE_FORMAT", get_language())


def moment_text(value: datetime.datetime | None, zone: datetime.tzinfo | None = None) -> str:
    """``27 Nov 2026, 15:04`` in ``zone``. A dash for None."""
    return "–" if value is None else _formatted(_minute(value, zone), "DATETIME_FORMAT", get_language())


def time_text(value: datetime.datetime, zone: datetime.tzinfo | None = None) -> str:
    """``15:04`` in ``zone``."""
    return _formatted(_minute(value, zone), "TIME_FORMAT", get_language())


def clock_text(value: datetime.time | None) -> str:
    """``15:04``. A dash for None."""
    return "–" if value is None else time_format(value, "TIME_FORMAT")


def month_text(value: datetime.date) -> str:
    """``November 2026``."""
    return _formatted(value, "YEAR_MONTH_FORMAT", get_language())


def _minute(value: datetime.datetime, zone: datetime.tzinfo | None) -> datetime.datetime:
    """The local time without zone and seconds, which no format shows: equal moments of two zones would be one key."""
    return timezone.localtime(value, zone).replace(second=0, microsecond=0, tzinfo=None)


@lru_cache(maxsize=8192)
def _formatted(value: datetime.date, name: str, _language: str | None) -> str:
    """NB: the language is a part of the key. Formatting takes longer than all else in a cell of a list."""
    return date_format(value, name)
