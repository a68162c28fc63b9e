"""Thresholds of models on pages."""

from django import template

from screening.labels.numbers import decimal_text

register = template.Library()


@register.filter
def threshold(value: float) -> str:
    """A threshold of P(referable), with the four decimals that tables of models have: ``0.0281``."""
    return decimal_text(value, 4)


@register.filter
def two_decimals(value: float) -> str:
    """``0.93``: an area, or a kappa."""
    return decimal_text(value, 2)


@register.filter
def unlocalized(value: float) -> str:
    """A number in an attribute, with a point in every language."""
    return f"{value:g}"
