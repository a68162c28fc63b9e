"""Heatmaps in words, for those who cannot see the colours."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MIN_VISIBLE = 0.05
"""Smaller values are transparent on the pages (``static/heatmap.js``)."""


class HeatmapLayer(StrEnum):
    """What a heatmap is the evidence for."""

    GRADE = "grade"
    OEDEMA = "oedema"


LAYER_LABELS: dict[HeatmapLayer, "_StrPromise"] = {
    HeatmapLayer.GRADE: gettext_lazy("Heatmap of the grade"),
    HeatmapLayer.OEDEMA: gettext_lazy("Heatmap of macular oedema"),
}
_POSITIONS: tuple[tuple["_StrPromise", ...], ...] = (
    (gettext_lazy("upper left"), gettext_lazy("upper middle"), gettext_lazy("upper right")),
    (gettext_lazy("left"), gettext_lazy("centre"), gettext_lazy("right")),
    (gettext_lazy("lower left"), gettext_lazy("lower middle"), gettext_lazy("lower right")),
)
"""Thirds of the photograph: rows from the top, columns from the left."""


def heatmap_text(layer: HeatmapLayer, heatmap: Any, box: Sequence[float]) -> str:
    """In which ninth of the photograph the heatmap is strongest.

    ``heatmap`` is (h, w) in [0, 1]; ``box`` its position on the photograph: left, top, right, bottom as fractions.
    """
    values = np.asarray(heatmap)
    texts = {"layer": LAYER_LABELS[layer], "percent": round(100 * float(values.max()))}
    if values.max() < MIN_VISIBLE:
        return _("%(layer)s: no area stands out.") % texts
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    left, top, right, bottom = box
    x = left + (right - left) * (column + 0.5) / values.shape[1]
    y = top + (bottom - top) * (row + 0.5) / values.shape[0]
    position = _POSITIONS[_third(y)][_third(x)]
    return _("%(layer)s: strongest at the %(position)s, %(percent)d %% of the scale.") % {**texts, "position": position}


def _third(fraction: float) -> int:
    return min(2, max(0, int(fraction * 3)))
