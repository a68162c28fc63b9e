"""Texts for birth dates and ages, which show how exact they are."""

import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from screening.birth_dates import BirthDate, age_band
from screening.labels.dates import day_text, month_text

BIRTH_DATE_ADVICE = gettext_lazy(
    "Write the birth date as 1960-05-17 (year, month, day), or 1960-05 or 1960 if no more is known."
)

BIRTH_DATE_NEEDED = gettext_lazy("Give the birth date or an estimated age, or state that neither is known.")


def birth_text(birth: BirthDate) -> str:
    """``17 May 1960``, ``May 1960``, ``1960``, ``estimated: 60 years on 31 Jan 2026`` or ``not known``."""
    if birth.estimated_age is not None:
        text = ngettext(
            "estimated: %(age)d year on %(day)s", "estimated: %(age)d years on %(day)s", birth.estimated_age
        )
        return text % {"age": birth.estimated_age, "day": day_text(birth.age_estimated_on)}
    if not birth.born_on:
        return _("not known")
    n_dashes = birth.born_on.count("-")
    if not n_dashes:
        return birth.born_on
    return month_text(birth.period[0]) if n_dashes == 1 else day_text(birth.period[0])


def age_text(birth: BirthDate, day: datetime.date) -> str:
    """``66 years``, ``65 or 66 years`` if the date is not exact, ``now about 66 years``; empty if unknown."""
    if not birth.is_known:
        return ""
    youngest, oldest = birth.ages_on(day)
    if birth.estimated_age is not None:
        return ngettext("now about %(age)d year", "now about %(age)d years", youngest) % {"age": youngest}
    if youngest == oldest:
        return ngettext("%(age)d year", "%(age)d years", oldest) % {"age": oldest}
    text = ngettext("%(youngest)d or %(oldest)d year", "%(youngest)d or %(oldest)d years", oldest)
    return text % {"youngest": youngest, "oldest": oldest}


def age_band_text(birth: BirthDate, day: datetime.date) -> str:
    """``60 to 69 years``, ``under 20 years``, ``90 years or older``; that of the youngest possible age."""
    if not birth.is_known:
        return _("age not known")
    first, last = age_band(birth.ages_on(day)[0])
    if first is None:
        limit = (last or 0) + 1
        return ngettext("under %(age)d year", "under %(age)d years", limit) % {"age": limit}
    if last is None:
        return ngettext("%(age)d year or older", "%(age)d years or older", first) % {"age": first}
    return ngettext("%(first)d to %(last)d year", "%(first)d to %(last)d years", last) % {"first": first, "last": last}
