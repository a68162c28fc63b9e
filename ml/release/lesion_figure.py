"""Figure of heatmaps beside lesion masks, for the report of an evaluation."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ml.evaluation.lesion_heatmaps import LesionMasks
    from ml.grader import Grader
    from ml.prediction import Prediction

N_PHOTOS = 10


def draw_lesion_heatmaps(grader: "Grader", photos: "Iterable[LesionMasks]", path: Path) -> None:
    """Write a figure of the first N_PHOTOS: lesions outlined, heatmap of the grade, heatmap of macular oedema."""
    chosen = list(islice(photos, N_PHOTOS))
    figure = Figure(figsize=(10, 2.4 * len(chosen)), layout="constrained")
    for row, masks in zip(figure.subplots(len(chosen), 3, squeeze=False), chosen, strict=True):
        prediction = grader.grade(masks.photo, include_ungradable=True)
        for axes in row:
            _show_photo(axes, masks)
        height, width = masks.lesions.shape
        extent = (0, width, height, 0)
        row[0].contour(masks.lesions, levels=[0.5], colors="cyan", linewidths=0.5, extent=extent, origin="upper")
        row[0].contour(masks.exudates, levels=[0.5], colors="lime", linewidths=0.5, extent=extent, origin="upper")
        row[0].set_title("lesions (exudates green)", fontsize=8)
        _show_heatmaps(row[1], row[2], prediction, masks)
    figure.savefig(path, dpi=110)


def _show_photo(axes: "Axes", masks: "LesionMasks") -> None:
    image = Image.open(masks.photo) if isinstance(masks.photo, Path) else masks.photo
    height, width = masks.lesions.shape
    axes.imshow(ImageOps.exif_transpose(image).convert("RGB").resize((width, height)))
    axes.set_axis_off()


def _show_heatmaps(first: "Axes", second: "Axes", prediction: "Prediction", masks: "LesionMasks") -> None:
    grade, p_oedema = prediction.grade, prediction.p_macular_oedema
    first.set_title("not graded" if grade is None else f"grade {int(grade)}", fontsize=8)
    second.set_title("no result for oedema" if p_oedema is None else f"P(oedema) {p_oedema:.2f}", fontsize=8)
    height, width = masks.lesions.shape
    if prediction.heatmap_box is None:
        return
    left, top, right, bottom = prediction.heatmap_box * np.array([width, height, width, height])
    for axes, heatmap in ((first, prediction.heatmap), (second, prediction.oedema_heatmap)):
        if heatmap is not None:
            axes.imshow(
                heatmap, extent=(left, right, bottom, top), alpha=0.45, interpolation="bilinear", vmin=0, vmax=1
            )
            axes.set(xlim=(0, width), ylim=(height, 0))
