"""The arrangement of the reading page, remembered for each user. It is no patient data, so changes are not audited."""

from screening.models import ReadingLayout, User


def save_reading_layout(*, view: ReadingLayout.View, shows_panel: bool, shows_strip: bool, by: User) -> ReadingLayout:
    """Remember how ``by`` arranged the reading page."""
    values = {"view": view, "shows_panel": shows_panel, "shows_strip": shows_strip}
    layout, _created = ReadingLayout.objects.update_or_create(user=by, defaults=values)
    return layout
