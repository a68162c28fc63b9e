"""Figure of heatmaps beside lesion masks, for the report of an evaluation."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from PIL import Image, ImageOps

from ml.serving.heatmap_overlay import overlay

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ml.evaluation.lesion_heatmaps import LesionMasks
    from ml.grader import Grader

N_PHOTOS = 10


def draw_lesion_heatmaps(grader: "Grader", photos: "Iterable[LesionMasks]", path: Path) -> None:
    """Write a figure of the first N_PHOTOS: lesions outlined, heatmap of the grade, heatmap of macular oedema."""
    chosen = list(islice(photos, N_PHOTOS))
    figure = Figure(figsize=(12, 2.8 * len(chosen)), layout="constrained")
    for row, masks in zip(figure.subplots(len(chosen), 3, squeeze=False), chosen, strict=True):
        _draw_row(row.tolist(), grader, masks)
    figure.savefig(path, dpi=110)


def _draw_row(row: "list[Axes]", grader: "Grader", masks: "LesionMasks") -> None:
    image = Image.open(masks.photo) if isinstance(masks.photo, Path) else masks.photo
    photo = ImageOps.exif_transpose(image).convert("RGB").resize(masks.lesions.shape[::-1])
    prediction = grader.grade(masks.photo, include_ungradable=True)
    grade, p_oedema = prediction.grade, prediction.p_macular_oedema
    shown = {
        "lesions (exudates green)": None,
        "not graded" if grade is None else f"grade {int(grade)}": prediction.heatmap,
        "no result for oedema" if p_oedema is None else f"P(oedema) {p_oedema:.2f}": prediction.oedema_heatmap,
    }
    for axes, (title, heatmap) in zip(row, shown.items(), strict=True):
        box = prediction.heatmap_box
        axes.imshow(photo if heatmap is None or box is None else overlay(photo, heatmap, box))
        axes.set_title(title, fontsize=8)
        axes.set_axis_off()
    for mask, color in ((masks.lesions, "cyan"), (masks.exudates, "lime")):
        if mask.any():
            row[0].contour(mask, levels=[0.5], colors=color, linewidths=0.5)
