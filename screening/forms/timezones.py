"""The field of a time zone: a list of cities by region."""

import zoneinfo
from itertools import groupby
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

_REGIONS = {
    "Africa": _("Africa"),
    "America": _("America"),
    "Antarctica": _("Antarctica"),
    "Arctic": _("Arctic"),
    "Asia": _("Asia"),
    "Atlantic": _("Atlantic"),
    "Australia": _("Australia"),
    "Europe": _("Europe"),
    "Indian": _("Indian Ocean"),
    "Pacific": _("Pacific"),
}


def timezone_choices(stored: str = "UTC") -> list[Any]:
    """``stored``, then each region with its cities. Names without a region are older names of the same zones."""
    names = sorted(name for name in zoneinfo.available_timezones() if name.partition("/")[0] in _REGIONS)
    groups = groupby(names, key=lambda name: name.partition("/")[0])
    regions = [(_REGIONS[region], [(name, _city(name)) for name in group]) for region, group in groups]
    return [*((name, name) for name in dict.fromkeys(["UTC", stored]) if name not in names), *regions]


def _city(name: str) -> str:
    return name.partition("/")[2].replace("_", " ").replace("/", ", ")


class TimezoneField(forms.ChoiceField):
    """A time zone from the list."""

    default_error_messages = {"invalid_choice": _("“%(value)s” is not a time zone of the list. Choose one of it.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(label=_("Time zone"), choices=timezone_choices, **kwargs)
