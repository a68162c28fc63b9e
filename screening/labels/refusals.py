"""Why details of a person or a booking are refused, and what to do, by code.

A code with its values can be stored, as for the row of an import, and is written in the language of each reader.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from screening.labels.addresses import ADDRESS_TEXTS
from screening.labels.births import BIRTH_DATE_ADVICE
from screening.labels.limits import TOO_LONG, UNPRINTABLE

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

PATIENT_TEXTS: dict[str, "_StrPromise"] = {
    "missing": _("This is missing. Fill it in."),
    "no_name": _("Fill in the family name or the given name. One suffices."),
    "number_exists": _("This medical record number is already registered at this site. Open that patient instead."),
    "too_long": TOO_LONG,
    "unprintable": UNPRINTABLE,
    "sex": _("Choose one of: F, M, X, U."),
    "diabetes_type": _("Choose one of: 1, 2, other, unknown."),
    "diabetes_year": _("Diabetes cannot begin before birth or after this year. Check the year."),
    "phone": _("Use digits, blanks and + - / ( ) alone, for example +44 20 7946 0000."),
    "email": _("This is no e-mail address. Write it like name@example.org."),
    "language": _("This is no language code. Write it like en, de or pt-br."),
    "consent": _("Choose one of: yes, no, or nothing if the person was not asked."),
    "email_for_consent": _("Fill in the e-mail address for messages, or choose that there is no consent."),
    "phone_for_consent": _(
        "Text messages need a mobile number that exists, with the code of the country, such as "
        "+44 7400 123456. Correct it, or choose that there is no consent."
    ),
    "birth_date": BIRTH_DATE_ADVICE,
    "birth_in_future": _("The birth date is in the future. Check the year."),
    "age_missing": _("Fill in the age that was estimated on this day."),
    "age_and_birth": _("Fill in the birth date or an estimated age, not both."),
    "estimate_in_future": _("This day is in the future. Check the date."),
    "age_negative": _("An age cannot be negative. Check it."),
    "too_old": ngettext_lazy(
        "This makes the patient older than %(age)d year. Check it.",
        "This makes the patient older than %(age)d years. Check it.",
        "age",
    ),
    **ADDRESS_TEXTS,
}
BOOKING_TEXTS: dict[str, "_StrPromise"] = {
    "merged_record": _("This record was merged into another one. Book the appointment there."),
    "booked_already": _("The person has an appointment on this day. Cancel it first."),
    "past_day": _("This day has passed. Check the date."),
    "far_day": _("This day is more than two years ahead. Check the date."),
    "changed_booking": _("The booking has changed meanwhile. Look at its present status."),
    "future_day": _("This day is in the future. Only a cancellation can be recorded."),
}
REFUSAL_TEXTS = PATIENT_TEXTS | BOOKING_TEXTS


def refusal_text(code: str, values: Mapping[str, int]) -> str:
    """Why something is refused, and what to do, in the active language."""
    text = REFUSAL_TEXTS[code]
    return str(text % values) if values else str(text)
