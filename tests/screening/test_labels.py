"""Results of the model in words."""

import numpy as np
import pytest

from screening.labels.heatmaps import HeatmapLayer, heatmap_text
from screening.labels.oedema import CANNOT_EXCLUDE, NO_SUSPICION, NOT_ASSESSED, SUSPICION, oedema_text
from tests.builders import make_prediction, oedema_values

WHOLE = (0.0, 0.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("row", "column", "box", "position"),
    [
        (0, 0, WHOLE, "upper left"),
        (0, 6, WHOLE, "upper right"),
        (3, 3, WHOLE, "centre"),
        (6, 3, WHOLE, "lower middle"),
        (3, 3, (0.5, 0.5, 1.5, 1.5), "lower right"),  # the field of view is cut by the frame
        (0, 0, (-1.0, 0.4, 1.0, 0.6), "left"),
    ],
)
def test_a_heatmap_has_the_position_of_its_maximum(
    row: int, column: int, box: tuple[float, float, float, float], position: str
) -> None:
    heatmap = np.zeros((7, 7), np.float32)
    heatmap[row, column] = 0.5
    text = heatmap_text(HeatmapLayer.OEDEMA, heatmap, box)
    assert text == f"Heatmap of macular oedema: strongest at the {position}, 50 % of the scale."


def test_a_heatmap_without_evidence_has_no_position() -> None:
    assert heatmap_text(HeatmapLayer.GRADE, [[0.0, 0.04]], WHOLE) == "Heatmap of the grade: no area stands out."


@pytest.mark.parametrize(
    ("p", "label"), [(0.9, SUSPICION), (0.4, SUSPICION), (0.1, NO_SUSPICION), (None, NOT_ASSESSED)]
)
def test_oedema_is_never_excluded(p: float | None, label: str) -> None:
    assert oedema_text(make_prediction(0, **oedema_values(p))) == f"{label}. {CANNOT_EXCLUDE}"


def test_a_model_of_grades_alone_has_no_text_for_oedema() -> None:
    assert oedema_text(make_prediction(4)) == ""
