"""Telephone numbers in international form, and whether they can receive text messages. No Django."""

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""Codes of countries (ISO 3166-1) whose national numbers can be read."""
_TEXTABLE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.PERSONAL_NUMBER}
"""In some countries, such as the USA, a number does not reveal whether it is mobile."""


class InvalidPhoneNumber(ValueError):
    """The number does not exist, or cannot receive text messages."""


def mobile_number(text: str, *, region: str) -> str:
    """The number as ``+447400123456``. Raises InvalidPhoneNumber.

    ``region``: country of a number that is written without ``+``; empty: such a number is refused.
    """
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException as error:
        raise InvalidPhoneNumber from error
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) not in _TEXTABLE:
        raise InvalidPhoneNumber
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
