"""Build the file of the typeface that the pages load: Inter for Latin letters, in the two weights of the design system.

    python -m docs.typeface

One variable font made of the two files of the weights, which documents on paper use. It has the outlines, widths and
kerning of both at its ends, and fewer bytes than two files. Hints, names of glyphs, arrows in place of "->" and
alternates of rare characters are left out. The licence of Inter allows it and has no reserved font name.
"""

from io import BytesIO
from pathlib import Path
from typing import Any

from fontTools import subset, varLib
from fontTools.designspaceLib import AxisDescriptor, DesignSpaceDocument, SourceDescriptor
from fontTools.ttLib import TTFont

FOLDER = Path(__file__).parents[1] / "static" / "vendor" / "inter"
WEIGHTS = (400, 600)
TARGET = FOLDER / "inter-latin-400-600.woff2"
WITH_ALTERNATES = "0123456789.,:-–—()@+/"
"""Characters that keep their forms of equal width and beside capitals and figures."""
SINGLE, LIGATURE = 1, 4
"""Types of lookups of GSUB."""


def left_out(font: TTFont) -> set[str]:
    """Glyphs of two or more characters, such as an arrow for "->", and alternates of rare characters."""
    subtables = [
        getattr(subtable, "ExtSubTable", subtable)
        for lookup in font["GSUB"].table.LookupList.Lookup
        for subtable in lookup.SubTable
    ]
    found = {
        ligature.LigGlyph
        for subtable in subtables
        if subtable.LookupType == LIGATURE
        for ligatures in subtable.ligatures.values()
        for ligature in ligatures
    }
    found |= {glyph for code, glyph in font.getBestCmap().items() if chr(code) not in WITH_ALTERNATES}
    for _ in range(2):  # an alternate can have an alternate
        for subtable in subtables:
            if subtable.LookupType == SINGLE:
                found |= {other for glyph, other in subtable.mapping.items() if glyph in found}
    return found - set(font.getBestCmap().values())


def reduced(weight: int) -> TTFont:
    """The file of one weight with the characters that it has."""
    font = TTFont(FOLDER / f"inter-latin-{weight}-normal.woff2")
    options = subset.Options()
    options.layout_features = ["*"]
    options.layout_closure = False
    options.hinting = False
    options.notdef_outline = True
    options.glyph_names = False
    subsetter: Any = subset.Subsetter(options)
    subsetter.populate(unicodes=font.getBestCmap(), glyphs=set(font.getGlyphOrder()) - left_out(font))
    subsetter.subset(font)
    font.flavor = None
    file = BytesIO()
    font.save(file)
    return TTFont(file)


def variable() -> TTFont:
    """One font with the axis of weight."""
    space = DesignSpaceDocument()
    space.addAxis(
        AxisDescriptor(tag="wght", name="Weight", minimum=WEIGHTS[0], default=WEIGHTS[0], maximum=WEIGHTS[-1])
    )
    for weight in WEIGHTS:
        space.addSource(SourceDescriptor(font=reduced(weight), location={"Weight": weight}))
    font, _, _ = varLib.build(space, exclude=["MVAR", "HVAR", "STAT"])
    font["head"].modified = font["head"].created  # the same bytes each time
    font.recalcTimestamp = False
    return font


if __name__ == "__main__":
    font = variable()
    font.flavor = "woff2"
    font.save(TARGET)
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1000:.1f} kB")
