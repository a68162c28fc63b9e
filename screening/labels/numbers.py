"""Numbers in the language of the request."""

from django.utils.formats import number_format


def decimal_text(value: float, n_decimals: int) -> str:
    """A number rounded to ``n_decimals``. NB: Django's ``number_format`` cuts further digits off."""
    return number_format(round(value, n_decimals), n_decimals)
