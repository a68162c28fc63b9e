"""Report of an evaluation: the model card, plots, and a comparison, in a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from ml.bundle import Bundle
from ml.evaluation.predictions import EXTERNAL
from ml.metrics.grading import calibration_curve
from ml.release.model_card import card_text
from ml.release.rendering import render
from ml.vocabulary import N_GRADES, REFERABLE_FROM, SIGHT_THREATENING_FROM

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ml.evaluation.predictions import LabelledPredictions

SOURCE_TITLES = {"aptos2019": "APTOS 2019", "eyepacs": "EyePACS", "odir5k": "ODIR-5K"}
COLORS = ("#1f6f8b", "#d1495b", "#66a182", "#edae49")
MARKERS = ("o", "s", "^", "D")


def write_report(
    bundle: Bundle,
    evaluation: dict[str, Any],
    predictions: "LabelledPredictions",
    folder: Path,
    *,
    comparison: str = "",
) -> Path:
    """Write report.md and its PNG plots; returns the report. ``comparison``: with another bundle, in Markdown."""
    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    plots = {
        "roc.png": (_roc_figure(bundle, predictions), "ROC curves of grade >= 2 and grade >= 3; ring: operating point"),
        "calibration.png": (_calibration_figure(predictions), "Calibration curve of P(grade >= 2)"),
        "confusion.png": (_confusion_figure(evaluation), "Confusion matrix; colour: fraction of each true grade"),
    }
    for name, (figure, _) in plots.items():
        figure.savefig(folder / name, dpi=110)
    captions = {name: caption for name, (_, caption) in plots.items()}
    report = folder / "report.md"
    report.write_text(render("evaluation.md", card=card_text(bundle), plots=captions, comparison=comparison))
    return report


def _shown_split(splits: "set[str]") -> str:
    return "test" if "test" in splits else EXTERNAL


def _roc_figure(bundle: Bundle, predictions: "LabelledPredictions") -> Figure:
    figure = Figure(figsize=(10, 5), layout="constrained")
    split = _shown_split(set(predictions.splits))
    for axes, first_positive in zip(figure.subplots(1, 2), (REFERABLE_FROM, SIGHT_THREATENING_FROM), strict=True):
        for number, source in enumerate(predictions.sources_in(split)):
            indices = predictions.where(split, source)
            positive = predictions.truth[indices] >= first_positive
            if positive.all() or not positive.any():
                continue
            p = predictions.probabilities[indices, first_positive:].sum(axis=1)
            false_positive_rate, sensitivity, _ = roc_curve(positive, p, drop_intermediate=False)
            label = f"{SOURCE_TITLES.get(source, source)} ({int(positive.sum())} of {len(indices)})"
            axes.plot(false_positive_rate, sensitivity, color=COLORS[number % 4], label=label)
            if first_positive == REFERABLE_FROM:
                flagged = p >= bundle.operating_point
                point = (flagged[~positive].mean(), flagged[positive].mean())
                axes.plot(*point, "o", ms=9, mfc="none", mew=2, color=COLORS[number % 4])
        _diagonal(axes, "1 - specificity", "sensitivity", f"grade >= {first_positive}, {split} split")
        axes.legend(loc="lower right")
    return figure


def _calibration_figure(predictions: "LabelledPredictions") -> Figure:
    figure = Figure(figsize=(5.5, 5), layout="constrained")
    axes = figure.subplots()
    split = _shown_split(set(predictions.splits))
    for number, source in enumerate(predictions.sources_in(split)):
        indices = predictions.where(split, source)
        p = predictions.probabilities[indices, REFERABLE_FROM:].sum(axis=1)
        curve = calibration_curve(predictions.truth[indices] >= REFERABLE_FROM, p)
        predicted, observed, counts = zip(*curve, strict=True)
        axes.plot(predicted, observed, "-", color=COLORS[number % 4], alpha=0.6)
        sizes = [12 + 2.0 * n for n in counts]
        title, marker = SOURCE_TITLES.get(source, source), MARKERS[number % 4]
        axes.scatter(predicted, observed, sizes, COLORS[number % 4], marker=marker, label=title, alpha=0.8)
    _diagonal(axes, "predicted P(grade >= 2)", "observed frequency", f"{split} split; size: number of photographs")
    for handle in axes.legend(loc="upper left").legend_handles:
        if handle is not None and hasattr(handle, "set_sizes"):
            handle.set_sizes([40])
    return figure


def _confusion_figure(evaluation: dict[str, Any]) -> Figure:
    split = _shown_split(set(evaluation["splits"]))
    entries = evaluation["splits"][split]
    figure = Figure(figsize=(4.2 * len(entries), 4.4), layout="constrained")
    panels = figure.subplots(1, len(entries), squeeze=False)[0]
    for axes, (source, entry) in zip(panels, sorted(entries.items()), strict=True):
        matrix = entry["confusion_matrix"]
        fractions = [[n / max(1, sum(row)) for n in row] for row in matrix]
        axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
        for true, row in enumerate(matrix):
            for predicted, n in enumerate(row):
                color = "white" if fractions[true][predicted] > 0.5 else "black"
                axes.text(predicted, true, str(n), ha="center", va="center", color=color)
        axes.set(
            title=f"{SOURCE_TITLES.get(source, source)}, {split} split",
            xlabel="predicted grade",
            ylabel="true grade",
            xticks=range(N_GRADES),
            yticks=range(N_GRADES),
        )
    return figure


def _diagonal(axes: "Axes", x: str, y: str, title: str) -> None:
    axes.plot([0, 1], [0, 1], ":", color="grey")
    axes.set(xlabel=x, ylabel=y, title=title, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.grid(alpha=0.3)
