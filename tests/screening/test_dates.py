"""Days and moments in pages: the format of the language, the zone of the site."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import translation

LATE = datetime(2026, 11, 27, 23, 30, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("filters", "value", "language", "text"),
    [
        ("day", date(2026, 11, 27), "en", "27 Nov 2026"),
        ("day:zone", LATE, "en", "28 Nov 2026"),
        ("moment:zone", LATE, "en", "28 Nov 2026, 00:30"),
        ("day", date(2026, 11, 27), "de", "27. November 2026"),
        ("moment:zone", LATE, "fr", "28 novembre 2026 00:30"),
        ("day", None, "en", "–"),
        ("moment", None, "en", "–"),
    ],
)
def test_the_language_chooses_the_format_and_the_site_the_zone(
    filters: str, value: date | None, language: str, text: str
) -> None:
    template = Template("{% load dates %}{{ value|" + filters + " }}")
    with translation.override(language):
        assert template.render(Context({"value": value, "zone": PARIS})) == text
