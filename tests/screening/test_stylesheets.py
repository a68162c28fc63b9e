"""The design system: four sizes of type, two weights, colours with enough contrast in light and dark."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from fontTools.ttLib import TTFont

from drsite.joined_files import JOINED_FILES

STATIC = Path(settings.BASE_DIR) / "static"
SHEETS = sorted((STATIC / "css").glob("*.css"))
TOKENS = (STATIC / "css" / "tokens.css").read_text()
MIN_CONTRAST = 4.5  # WCAG 2.2, criterion 1.4.3
SIDES = (
    ("ink", "ground"), ("ink", "surface"), ("ink-soft", "ground"), ("ink-soft", "surface"), ("ink-soft", "sunken"),
    ("accent", "ground"), ("accent", "surface"), ("accent-ink", "accent"), ("accent", "accent-wash"),
    ("on-ink", "on-wash"), ("alarm", "alarm-wash"), ("warn", "warn-wash"), ("fine", "fine-wash"),
)  # fmt: skip


@pytest.mark.parametrize("sheet", [one for one in SHEETS if one.stem not in {"tokens", "fonts"}], ids=lambda p: p.stem)
def test_sizes_and_weights_of_type_are_those_of_the_design_system(sheet: Path) -> None:
    text = sheet.read_text()
    for value in re.findall(r"font-size: ([^;]+);", text):
        assert re.fullmatch(r"inherit|var\(--text-(small|normal|large|title)\)", value)
    for value in re.findall(r"font-weight: ([^;]+);", text):
        assert re.fullmatch(r"var\(--(regular|strong)\)", value)
    for value in re.findall(r" font: ([^;]+);", text):
        assert re.match(r"inherit|var\(--(regular|strong)\) var\(--text-\w+\)/[\d.]+ var\(--typeface\)", value)


def test_there_are_four_sizes_and_two_weights() -> None:
    assert len(re.findall(r"--text-\w+: [\d.]+rem", TOKENS)) == 4
    assert re.findall(r"--(?:regular|strong): (\d+)", TOKENS) == ["400", "600"]
    faces = (STATIC / "css" / "fonts.css").read_text()
    assert set(re.findall(r"font-weight: ([^;]+);", faces)) == {"400 600", "400", "600"}


def test_the_typeface_is_small_and_has_its_licence() -> None:
    folder = STATIC / "vendor" / "inter"
    assert (folder / "inter-latin-400-600.woff2").stat().st_size < 23_500
    assert sum((folder / f"inter-latin-ext-{weight}-normal.woff2").stat().st_size for weight in (400, 600)) < 65_000
    assert "SIL Open Font License" in (folder / "LICENSE").read_text()


@pytest.mark.parametrize("file", sorted((STATIC / "vendor" / "inter").glob("*.woff2")), ids=lambda p: p.stem)
def test_the_typeface_has_the_features_that_style_sheets_use(file: Path) -> None:
    """And no other: the glyphs of each feature are bytes on a slow line."""
    font = TTFont(file)
    features = {
        record.FeatureTag for table in ("GSUB", "GPOS") for record in font[table].table.FeatureList.FeatureRecord
    }
    assert features >= {"tnum", "kern", "mark"}
    assert features <= {"calt", "kern", "mark", "mkmk", "tnum"}


def test_the_typeface_of_pages_has_no_arrows_in_place_of_two_characters() -> None:
    lookups = TTFont(STATIC / "vendor" / "inter" / "inter-latin-400-600.woff2")["GSUB"].table.LookupList.Lookup
    types = {
        getattr(subtable, "ExtSubTable", subtable).LookupType for lookup in lookups for subtable in lookup.SubTable
    }
    assert types == {1, 6}, "single and chained substitutions, no ligatures"


def themes() -> list[dict[str, str]]:
    """Name and colour of each token: light, dark by the system, dark by the user."""
    blocks = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.split(r"\scolor-scheme: ", TOKENS)[1:]
    ]
    return [blocks[0], *({**blocks[0], **dark} for dark in blocks[1:])]


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark", "chosen-dark"])
@pytest.mark.parametrize(("ink", "ground"), SIDES)
def test_text_has_enough_contrast(theme: dict[str, str], ink: str, ground: str) -> None:
    light, dark = sorted((luminance(theme[ink]), luminance(theme[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= MIN_CONTRAST


def luminance(colour: str) -> float:
    """Relative luminance of a colour (#rrggbb), WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("gradings/_result.html", "model-result-body"),
        ("gradings/_brief.html", "model-brief"),
        ("reviews/_model.html", "model-result"),
    ],
)
def test_paper_has_no_prediction_of_the_model(template: str, name: str) -> None:
    markup = (STATIC.parent / "templates" / "screening" / template).read_text()
    assert f'class="{name}"' in markup
    hidden = re.findall(r"([^{}]+)\{ display: none !important; \}", (STATIC / "css" / "print.css").read_text())
    assert any(f".{name}" in [one.strip() for one in selectors.split(",")] for selectors in hidden)


ALL_SHEETS = [*SHEETS, *sorted(STATIC.glob("*.css"))]
PHOTOGRAPHS = re.compile(r"\.pane-|\[data-viewer-canvas\]|\.thumb|\.consensus-photo")
"""Never mirrored."""


def test_directions_are_those_of_the_text() -> None:
    """``margin-inline-start`` and not ``margin-left``: some pages are written from right to left."""
    for sheet in ALL_SHEETS:
        for selector, body in re.findall(r"([^{}]*)\{([^{}]*)\}", sheet.read_text()):
            physical = re.findall(
                r"(?:margin|padding|border)-(?:left|right)[\w-]*:|(?:align|float): (?:left|right)", body
            )
            assert physical == [], selector
            if not PHOTOGRAPHS.search(selector):
                assert not re.search(r"(?<![\w-])(left: (?!50%)|right: )", body), selector
            for sides in re.findall(r"(?:padding|margin): ([^\s;]+) ([^\s;]+) ([^\s;]+) ([^\s;]+);", body):
                assert sides[1] == sides[3] or "(" in "".join(sides), selector


def test_eyes_are_never_mirrored() -> None:
    page = (STATIC / "css" / "page.css").read_text()
    kept = re.search(r'\[dir="rtl"\] :is\(([^)]*)\) \{ direction: ltr; \}', page)
    assert kept is not None
    assert {".panes", ".strip", ".columns.is-eyes", ".reading-eyes"} <= {one.strip() for one in kept[1].split(",")}


TEMPLATES = Path(settings.BASE_DIR) / "templates"
LINKED = re.compile(r"'((?:css/|joined/)?[\w-]+\.css)'")


def templates_of(name: str, found: set[str]) -> set[str]:
    """The template and all that it includes or extends."""
    path = TEMPLATES / name
    if name not in found and path.exists():
        found.add(name)
        for other in re.findall(r"[\"']([\w/]+\.html)[\"']", path.read_text()):
            templates_of(other, found)
    return found


def own_classes(sheet: Path) -> set[str]:
    """Classes that no other style sheet has."""
    of = {one: set(re.findall(r"\.([a-z][a-z0-9-]+)", one.read_text())) for one in ALL_SHEETS}
    others = [names for one, names in of.items() if one != sheet]
    return {name for name in of[sheet].difference(*others) if not name.startswith("is-")}


@pytest.mark.parametrize("sheet", ["dashboards", "lesions", "models", "patients", "teaching", "viewer"])
def test_a_page_loads_the_style_sheets_of_its_classes(sheet: str) -> None:
    """Those of most pages are in base.html, so that a slow line carries what a page needs."""
    classes = "|".join(own_classes(STATIC / "css" / f"{sheet}.css"))
    is_used = re.compile(rf'class="[^"]*(?<![\w-])(?:{classes})(?![\w-])')
    pages = {
        path: [TEMPLATES / one for one in templates_of(str(path.relative_to(TEMPLATES)), set())]
        for path in TEMPLATES.rglob("*.html")
        if '{% extends "base.html" %}' in path.read_text()
    }
    users = {page: files for page, files in pages.items() if any(is_used.search(one.read_text()) for one in files)}
    assert users
    for page, files in users.items():
        linked = {name for one in files for name in LINKED.findall(one.read_text())}
        loaded = {file for name in linked for file in JOINED_FILES.get(name, [name])}
        assert f"css/{sheet}.css" in loaded, page
