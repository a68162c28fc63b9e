"""Values in the addresses of pages: an eye, a kind of file, a group of settings."""

from django.urls.converters import StringConverter

from screening.policy.site_settings import SettingsGroup


class EyeConverter(StringConverter):
    """An eye: OD or OS."""

    regex = "OD|OS"


class ExportConverter(StringConverter):
    """An export of the people of the due list."""

    regex = "due-list|register|contacts"


class SettingsGroupConverter(StringConverter):
    """A group of settings of a site."""

    regex = "|".join(SettingsGroup)


class DashboardPageConverter(StringConverter):
    """A page of the dashboard beside the first one."""

    regex = "agreement|staff|drift"


class ImportKindConverter(StringConverter):
    """What the rows of a file are."""

    regex = "people|bookings"
