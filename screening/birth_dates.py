"""Birth dates as people have them: to the day, the month or the year, estimated from an age, or unknown."""

import calendar
import datetime
import re
import unicodedata
from dataclasses import dataclass

MAX_AGE_YEARS = 120
"""The oldest person alive in 2025 was 116 (Gerontology Research Group)."""
MAX_ESTIMATE_ERROR_YEARS = 5
"""Estimated ages are rounded to multiples of five: the age heaping that Whipple's index measures."""
MIN_BAND_AGE, MAX_BAND_AGE, AGE_BAND_YEARS = 20, 90, 10
"""Ages that are shown without the person: bands of ten years, because a reader needs no more to grade a photograph, and
the wider a band, the more people are in it (data minimisation, GDPR article 5.1c). From 90 years on there is one band
(HIPAA 45 CFR 164.514(b)(2)(i)(C): ages over 89 identify); below 20, which few screened people are, there is one too."""
_TYPED = re.compile(r"(\d{4})(?:[-./ ](\d{1,2})(?:[-./ ](\d{1,2}))?)?")


class InvalidBirthDate(ValueError):
    """A text is not a date of the form 1960-05-17, 1960-05 or 1960."""


@dataclass(frozen=True, slots=True)
class BirthDate:
    """What is known of a birth: ``born_on`` (YYYY-MM-DD, YYYY-MM, YYYY), or an age estimated on a day, or nothing."""

    born_on: str = ""
    estimated_age: int | None = None
    age_estimated_on: datetime.date | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is a date, exact or not, or an estimated age."""
        return bool(self.born_on) or self.estimated_age is not None

    @property
    def period(self) -> tuple[datetime.date, datetime.date]:
        """First and last possible day; of an estimated age as if the age were exact. Raises ValueError if unknown."""
        if self.estimated_age is not None and self.age_estimated_on is not None:
            last = _years_before(self.age_estimated_on, self.estimated_age)
            return _years_before(last, 1) + datetime.timedelta(days=1), last
        if not self.born_on:
            raise ValueError("Nothing is known of this birth.")
        year, month, day = (*map(int, self.born_on.split("-")), 0, 0)[:3]
        if day:
            return datetime.date(year, month, day), datetime.date(year, month, day)
        first, last_month = (month, month) if month else (1, 12)
        return datetime.date(year, first, 1), datetime.date(year, last_month, calendar.monthrange(year, last_month)[1])

    def ages_on(self, day: datetime.date) -> tuple[int, int]:
        """Youngest and oldest possible age in whole years. Raises ValueError if unknown."""
        first, last = self.period
        return max(_whole_years(last, day), 0), _whole_years(first, day)

    def could_be(self, other: "BirthDate") -> bool:
        """Whether both could be one birth: true if one is unknown, and for a year that agrees."""
        if not (self.is_known and other.is_known):
            return True
        is_estimated = self.estimated_age is not None or other.estimated_age is not None
        slack_years = MAX_ESTIMATE_ERROR_YEARS if is_estimated else 0
        (first, last), (other_first, other_last) = self.period, other.period
        return _years_before(first, slack_years) <= other_last and _years_before(other_first, slack_years) <= last


def age_band(age: int) -> tuple[int | None, int | None]:
    """First and last age of the band; None if it has no limit on that side."""
    if age < MIN_BAND_AGE:
        return None, MIN_BAND_AGE - 1
    if age >= MAX_BAND_AGE:
        return MAX_BAND_AGE, None
    first = age - age % AGE_BAND_YEARS
    return first, first + AGE_BAND_YEARS - 1


def parse_birth_date(text: str) -> str:
    """``1960-05-17``, ``1960-05`` or ``1960`` of a typed text; empty for an empty one. Raises InvalidBirthDate."""
    typed = unicodedata.normalize("NFKC", text).strip()
    if not typed:
        return ""
    match = _TYPED.fullmatch(typed)
    if match is None:
        raise InvalidBirthDate(text)
    year, month, day = (None if digits is None else int(digits) for digits in match.groups())
    try:
        datetime.date(year or 0, month or 1, day or 1)
    except ValueError as error:
        raise InvalidBirthDate(text) from error
    if month == 0 or day == 0:
        raise InvalidBirthDate(text)
    return "-".join([f"{year:04}", *(f"{number:02}" for number in (month, day) if number is not None)])


def _whole_years(born_on: datetime.date, day: datetime.date) -> int:
    had_birthday = (day.month, day.day) >= (born_on.month, born_on.day)
    return day.year - born_on.year - (0 if had_birthday else 1)


def _years_before(day: datetime.date, years: int) -> datetime.date:
    """The same day ``years`` earlier; 28 February for 29 February."""
    year = max(day.year - years, datetime.MINYEAR)
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))
