"""Report of an evaluation: the model card, plots, and a comparison, in a folder."""

from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from sklearn.metrics import RocCurveDisplay

from ml.bundle import Bundle
from ml.evaluation.compare import Comparison, comparison_table
from ml.evaluation.lesion_heatmaps import HELD_OUT, LesionMasks
from ml.evaluation.predictions import LabelledPredictions
from ml.grader import Grader
from ml.metrics.grading import calibration_curve
from ml.release.lesion_figure import N_PHOTOS, draw_lesion_heatmaps
from ml.release.model_card import card_text
from ml.release.rendering import render

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SPLIT = "test"


def write_report(
    predictions: LabelledPredictions,
    folder: Path,
    *,
    masks: dict[str, list[LesionMasks]],
    other: Bundle | None = None,
    comparison: Comparison | None = None,
) -> Path:
    """Write report.md and its figures; returns the report. ``comparison`` is that with ``other``."""
    folder.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(11, 5), layout="constrained")
    roc_axes, calibration_axes = figure.subplots(1, 2)
    for source in predictions.sources_in(SPLIT):
        _plot_source(predictions, source, roc_axes, calibration_axes)
    calibration_axes.plot([0, 1], [0, 1], ":", color="grey")
    calibration_axes.set(xlabel="predicted P(grade >= 2)", ylabel="observed frequency", aspect="equal")
    calibration_axes.legend(loc="upper left")
    figure.savefig(folder / "curves.png", dpi=110)
    if masks:
        draw_lesion_heatmaps(Grader.load(predictions.bundle.folder), masks[HELD_OUT], folder / "lesions.png")
    report = folder / "report.md"
    text = render(
        "evaluation.md",
        card=card_text(predictions.bundle),
        split=SPLIT,
        n_figures=min(N_PHOTOS, len(masks.get(HELD_OUT, []))),
        other=other,
        comparison=comparison_table(comparison) if comparison else "",
    )
    report.write_text(text)
    return report


def _plot_source(predictions: LabelledPredictions, source: str, roc_axes: "Axes", calibration_axes: "Axes") -> None:
    graded = predictions.graded(predictions.where(SPLIT, source))
    predicted, observed, _ = zip(*calibration_curve(graded.is_referable, graded.p_referable), strict=True)
    (line,) = calibration_axes.plot(predicted, observed, "o-", label=source)
    RocCurveDisplay.from_predictions(graded.is_referable, graded.p_referable, ax=roc_axes, name=source)
    sensitivity, specificity = graded.sensitivity_specificity
    roc_axes.plot(1 - specificity, sensitivity, "o", color=line.get_color())
