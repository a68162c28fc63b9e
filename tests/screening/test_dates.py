"""Days and moments in pages: the format of the language, the zone of the site."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import translation

from screening.labels.dates import moment_text
from screening.templatetags.gradings import percent
from screening.templatetags.teaching import kappa_text

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
        ("moment:zone", LATE, "ar", "28 نوفمبر 2026، 00:30"),
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


def test_one_moment_has_the_text_of_each_zone() -> None:
    assert moment_text(LATE, PARIS) == "28 Nov 2026, 00:30"
    assert moment_text(LATE.astimezone(PARIS), ZoneInfo("UTC")) == "27 Nov 2026, 23:30"


@pytest.mark.parametrize(("language", "text"), [("en", "0.82 (0.71 to 0.90)"), ("de", "0,82 ("), ("fr", "0,82 (")])
def test_the_language_chooses_the_decimal_sign(language: str, text: str) -> None:
    with translation.override(language):
        assert kappa_text(0.82, [0.71, 0.9]).startswith(text)


@pytest.mark.parametrize(("fraction", "text"), [(0.001, "< 1 %"), (0.42, "42 %"), (0.999, "> 99 %")])
def test_a_percentage_is_isolated_from_right_to_left(fraction: float, text: str) -> None:
    """Otherwise a reader of Arabic would see "more than" in place of "less than"."""
    with translation.override("en"):
        assert percent(fraction) == text
    with translation.override("ar"):
        assert (percent(fraction)[0], percent(fraction)[-1]) == ("\u2066", "\u2069")
