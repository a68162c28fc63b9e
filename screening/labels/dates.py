"""Days and moments as people read them: in the format of the language, with the month as a word if it has one."""

import datetime

from django.utils import timezone
from django.utils.formats import date_format, time_format


def day_text(value: datetime.date | None, zone: datetime.tzinfo | None = None) -> str:
    """``27 Nov 2026``; of a moment, the day in ``zone``. A dash for None."""
    if value is None:
        return "–"
    if isinstance(value, datetime.datetime):
        value = timezone.localdate(value, zone)
    return date_format(value, "DATE_FORMAT")


def moment_text(value: datetime.datetime | None, zone: datetime.tzinfo | None = None) -> str:
    """``27 Nov 2026, 15:04`` in ``zone``. A dash for None."""
    return "–" if value is None else date_format(timezone.localtime(value, zone), "DATETIME_FORMAT")


def time_text(value: datetime.datetime, zone: datetime.tzinfo | None = None) -> str:
    """``15:04`` in ``zone``."""
    return date_format(timezone.localtime(value, zone), "TIME_FORMAT")


def clock_text(value: datetime.time | None) -> str:
    """``15:04``. A dash for None."""
    return "–" if value is None else time_format(value, "TIME_FORMAT")


def month_text(value: datetime.date) -> str:
    """``November 2026``."""
    return date_format(value, "YEAR_MONTH_FORMAT")
