"""Filters for days and moments; no template names a format. Moments take the zone of their site."""

import datetime

from django import template

from screening.labels.dates import clock_text, day_text, moment_text

register = template.Library()


@register.filter
def day(value: datetime.date | None, zone: datetime.tzinfo | None = None) -> str:
    """``27 Nov 2026``: ``{{ exam.created_at|day:exam.site.zone }}``, ``{{ review.recall_on|day }}``."""
    return day_text(value, zone)


@register.filter
def clock(value: datetime.time | None) -> str:
    """``15:04``: ``{{ booking.time|clock }}``."""
    return clock_text(value)


@register.filter
def moment(value: datetime.datetime | None, zone: datetime.tzinfo | None = None) -> str:
    """``27 Nov 2026, 15:04``: ``{{ review.signed_at|moment:exam.site.zone }}``."""
    return moment_text(value, zone)
