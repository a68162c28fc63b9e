"""Build the file of the typeface that the pages load: Inter for Latin letters, in the two weights of the design system.

    python -m docs.typeface

One variable font made of the two files of the weights, which documents on paper use. It has the outlines, widths and
kerning of both at its ends, and fewer bytes than two files. Hints, names of glyphs and arrows in place of "->" are left
out. The licence of Inter allows it and has no reserved font name.
"""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

from fontTools import subset, varLib
from fontTools.designspaceLib import AxisDescriptor, DesignSpaceDocument, SourceDescriptor
from fontTools.ttLib import TTFont

FOLDER = Path(__file__).parents[1] / "static" / "vendor" / "inter"
WEIGHTS = (400, 600)
TARGET = FOLDER / "inter-latin-400-600.woff2"
LEFT_OUT = re.compile(r"arrow|Arrow|^uni27F")
"""Glyphs of arrows of two characters."""


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
    glyphs = [glyph for glyph in font.getGlyphOrder() if not LEFT_OUT.search(glyph)]
    subsetter.populate(unicodes=font.getBestCmap(), glyphs=glyphs)
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
