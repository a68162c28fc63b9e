"""Birth dates as exact as they are known."""

import datetime

import pytest

from screening.birth_dates import BirthDate, InvalidBirthDate, parse_birth_date
from screening.labels.births import age_text, birth_text

DAY = datetime.date(2026, 11, 27)
UNKNOWN = BirthDate()
DATES = {
    text: BirthDate(text) for text in ("1960-05-17", "1960-05", "1960", "1960-06", "1960-05-18", "1961", "1955", "2026")
}


def estimate(age: int, year: int = 2026) -> BirthDate:
    return BirthDate("", age, datetime.date(year, 11, 27))


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("1960-05-17", "1960-05-17"), ("1960-5-7", "1960-05-07"), ("1960/05/17", "1960-05-17"),
        (" 1960.05 ", "1960-05"), ("1960", "1960"), ("", ""), ("１９６０－０５", "1960-05"),
        ("۱۹۶۰", "1960"), ("1960-02-29", "1960-02-29"),
        ("1960 05 17", "1960-05-17"), ("1960\u00a005", "1960-05"),
    ],
)  # fmt: skip
def test_a_date_is_read_to_the_day_month_or_year(typed: str, stored: str) -> None:
    assert parse_birth_date(typed) == stored


@pytest.mark.parametrize(
    "typed",
    ["17.05.1960", "05/17/1960", "60", "1960-13", "1961-02-29", "1960-00", "1960-00-00", "1960-05-00", "0000",
     "about 60", "1960-05-17T00:00", "1960-", "19600517", "1960-05-17-01"],
)  # fmt: skip
def test_another_text_is_refused(typed: str) -> None:
    with pytest.raises(InvalidBirthDate):
        parse_birth_date(typed)


@pytest.mark.parametrize(
    ("birth", "shown", "age"),
    [
        (DATES["1960-05-17"], "17 May 1960", "66 years"),
        (DATES["1960-05"], "May 1960", "66 years"),
        (DATES["1960"], "1960", "65 or 66 years"),
        (DATES["2026"], "2026", "0 years"),
        (BirthDate("1960-11"), "Nov 1960", "65 or 66 years"),
        (BirthDate("1960-02-29"), "29 Feb 1960", "66 years"),
        (estimate(60), "estimated: 60 years on 27 Nov 2026", "now about 60 years"),
        (estimate(60, 2020), "estimated: 60 years on 27 Nov 2020", "now about 66 years"),
        (estimate(0), "estimated: 0 years on 27 Nov 2026", "now about 0 years"),
        (UNKNOWN, "not known", ""),
    ],
)
def test_a_birth_is_shown_as_exact_as_it_is_known(birth: BirthDate, shown: str, age: str) -> None:
    assert (birth_text(birth), age_text(birth, DAY)) == (shown, age)


@pytest.mark.parametrize(
    ("one", "other", "could_be"),
    [
        (DATES["1960-05-17"], DATES["1960-05-17"], True),
        (DATES["1960-05-17"], DATES["1960-05-18"], False),
        (DATES["1960-05-17"], DATES["1960-05"], True),
        (DATES["1960-05-17"], DATES["1960-06"], False),
        (DATES["1960-05-17"], DATES["1960"], True),
        (DATES["1960-05"], DATES["1960"], True),
        (DATES["1960"], DATES["1960"], True),
        (DATES["1960"], DATES["1961"], False),
        (DATES["1960"], estimate(66), True),
        (DATES["1955"], estimate(66), True),
        (DATES["1955"], estimate(60), False),
        (estimate(60), estimate(65), True),
        (estimate(60), estimate(50, 2016), True),
        (estimate(60), estimate(80), False),
        (UNKNOWN, DATES["1960"], True),
        (UNKNOWN, UNKNOWN, True),
    ],
)
def test_two_births_that_could_be_one(one: BirthDate, other: BirthDate, could_be: bool) -> None:
    assert one.could_be(other) is other.could_be(one) is could_be


def test_an_unknown_birth_has_no_period() -> None:
    with pytest.raises(ValueError, match="Nothing is known"):
        _ = UNKNOWN.period
