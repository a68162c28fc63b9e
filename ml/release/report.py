"""The report of an evaluation: Markdown with pictures, in a folder of its own."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from ml.bundle import Bundle
from ml.metrics.grading import SIGHT_THREATENING_FROM, calibration_curve
from ml.release.model_card import card_text
from ml.vocabulary import N_GRADES, REFERABLE_FROM

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ml.evaluation.predictions import LabelledPredictions

TITLES = {"aptos2019": "APTOS 2019", "eyepacs": "EyePACS", "odir5k": "ODIR-5K"}
COLOURS = ("#1f6f8b", "#d1495b", "#66a182", "#edae49")
MARKERS = ("o", "s", "^", "D")


def write_report(
    bundle: Bundle, evaluation: dict[str, Any], readings: "LabelledPredictions", folder: Path, *, difference: str = ""
) -> Path:
    """Write report.md and its PNG pictures; returns the report. ``difference``: a comparison with another bundle."""
    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {
        "roc.png": (_roc_figure(bundle, readings), "ROC curves of grade >= 2 and of grade >= 3; ring: operating point"),
        "calibration.png": (_calibration_figure(readings), "Said against seen share of grade >= 2"),
        "confusion.png": (_confusion_figure(evaluation), "Given against true grade: share of each true grade, count"),
    }
    parts = [card_text(bundle).replace("# Model card", "# Evaluation", 1)]
    for name, (figure, caption) in pictures.items():
        figure.savefig(folder / name, dpi=110)
        parts.append(f"### {caption}\n\n![{caption}]({name})\n")
    if difference:
        parts.append(f"## Against another bundle\n{difference}")
    report = folder / "report.md"
    report.write_text("\n".join(parts))
    return report


def _tested(readings: "LabelledPredictions") -> tuple[str, list[str]]:
    """The part that the pictures show, and its sources."""
    part = "test" if (readings.parts == "test").any() else "unseen"
    return part, readings.sources_in(part)


def _roc_figure(bundle: Bundle, readings: "LabelledPredictions") -> Figure:
    figure = Figure(figsize=(10, 5), layout="constrained")
    part, sources = _tested(readings)
    for axes, least in zip(figure.subplots(1, 2), (REFERABLE_FROM, SIGHT_THREATENING_FROM), strict=True):
        for number, source in enumerate(sources):
            rows = readings.where(part, source)
            positive = readings.truth[rows] >= least
            if positive.all() or not positive.any():
                continue
            p = readings.probabilities[rows, least:].sum(axis=1)
            false, true, _ = roc_curve(positive, p, drop_intermediate=False)
            label = f"{TITLES.get(source, source)} ({int(positive.sum())} of {len(rows)})"
            axes.plot(false, true, color=COLOURS[number % 4], label=label)
            if least == REFERABLE_FROM:
                flagged = p >= bundle.operating_point
                at = (flagged[~positive].mean(), flagged[positive].mean())
                axes.plot(*at, "o", ms=9, mfc="none", mew=2, color=COLOURS[number % 4])
        _diagonal(axes, "1 - specificity", "sensitivity", f"grade >= {least}, {part} part")
        axes.legend(loc="lower right")
    return figure


def _calibration_figure(readings: "LabelledPredictions") -> Figure:
    figure = Figure(figsize=(5.5, 5), layout="constrained")
    axes = figure.subplots()
    part, sources = _tested(readings)
    for number, source in enumerate(sources):
        rows = readings.where(part, source)
        p = readings.probabilities[rows, REFERABLE_FROM:].sum(axis=1)
        curve = calibration_curve(readings.truth[rows] >= REFERABLE_FROM, p)
        said, seen, counts = zip(*curve, strict=True)
        axes.plot(said, seen, "-", color=COLOURS[number % 4], alpha=0.6)
        sizes = [12 + 2.0 * n for n in counts]
        marker = MARKERS[number % 4]
        axes.scatter(said, seen, sizes, COLOURS[number % 4], marker=marker, label=TITLES.get(source, source), alpha=0.8)
    _diagonal(axes, "said P(grade >= 2)", "seen share with grade >= 2", f"{part} part; size: number of photographs")
    legend = axes.legend(loc="upper left")
    for handle in legend.legend_handles:
        if handle is not None and hasattr(handle, "set_sizes"):
            handle.set_sizes([40])
    return figure


def _confusion_figure(evaluation: dict[str, Any]) -> Figure:
    part = "test" if "test" in evaluation["parts"] else "unseen"
    entries = evaluation["parts"][part]
    figure = Figure(figsize=(4.2 * len(entries), 4.4), layout="constrained")
    panels = figure.subplots(1, len(entries), squeeze=False)[0]
    for axes, (source, entry) in zip(panels, sorted(entries.items()), strict=True):
        shares = [[n / max(1, sum(row)) for n in row] for row in entry["confusion"]]
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for true, row in enumerate(entry["confusion"]):
            for given, n in enumerate(row):
                dark = shares[true][given] > 0.5
                axes.text(given, true, str(n), ha="center", va="center", color="white" if dark else "black")
        axes.set(
            title=f"{TITLES.get(source, source)}, {part} part",
            xlabel="given grade",
            ylabel="true grade",
            xticks=range(N_GRADES),
            yticks=range(N_GRADES),
        )
    return figure


def _diagonal(axes: "Axes", x: str, y: str, title: str) -> None:
    axes.plot([0, 1], [0, 1], ":", color="grey")
    axes.set(xlabel=x, ylabel=y, title=title, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.grid(alpha=0.3)
