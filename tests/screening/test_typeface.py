"""The file of the typeface that pages load has the letters and widths of the files of the two weights."""

from pathlib import Path

import pytest
from django.conf import settings
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont

FOLDER = Path(settings.BASE_DIR) / "static" / "vendor" / "inter"


ROUNDING = 0.6  # of 2048 units of an em: varLib leaves out differences of half a unit


def outline(font: TTFont, character: int, weight: int | None = None) -> tuple[list[str], list[float]]:
    """Steps of the outline of a character; coordinates of its points, and its width."""
    glyphs = font.getGlyphSet(location={"wght": weight} if weight else None)
    name = font.getBestCmap()[character]
    pen = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(pen)
    points = [point for _, step in pen.value for point in step]
    coordinates = [value for point in points for value in point]
    return [operator for operator, _ in pen.value], [*coordinates, glyphs[name].width]


def test_each_weight_has_the_outlines_of_its_own_file() -> None:
    variable = TTFont(FOLDER / "inter-latin-400-600.woff2")
    for weight in (400, 600):
        single = TTFont(FOLDER / f"inter-latin-{weight}-normal.woff2")
        assert set(variable.getBestCmap()) == set(single.getBestCmap())
        for character in single.getBestCmap():
            steps, coordinates = outline(variable, character, weight)
            expected_steps, expected = outline(single, character)
            assert steps == expected_steps
            assert coordinates == pytest.approx(expected, abs=ROUNDING), chr(character)


def test_digits_have_one_width_in_tables() -> None:
    font = TTFont(FOLDER / "inter-latin-400-600.woff2")
    tables = font["GSUB"].table
    (lookup,) = {
        i for one in tables.FeatureList.FeatureRecord if one.FeatureTag == "tnum" for i in one.Feature.LookupListIndex
    }
    (subtable,) = tables.LookupList.Lookup[lookup].SubTable
    tabular = getattr(subtable, "ExtSubTable", subtable).mapping
    names = font.getBestCmap()
    for weight in (400, 600):
        glyphs = font.getGlyphSet(location={"wght": weight})
        assert len({glyphs[tabular[names[ord(digit)]]].width for digit in "0123456789"}) == 1
