"""Report of a training run: report.md and curves.png, replaced after every epoch."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ml.metrics.markdown import table
from ml.training.config import TrainingConfig, read_config

CURVES, REPORT = "curves.png", "report.md"
#: Validation metrics and their titles.
METRICS = {"kappa": "kappa", "auc": "AUC"}


def write_report(run: Path) -> None:
    """Write both files, from config.json and log.jsonl of the run."""
    history = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    plot_curves(history, run / CURVES)
    (run / REPORT).write_text(report_text(read_config(run), history, run.name))


def plot_curves(history: list[dict[str, Any]], path: Path) -> None:
    """Plot the training loss and the validation metrics of each source over the epochs."""
    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    loss_axis, *metric_axes = figure.subplots(1, 1 + len(METRICS))
    loss_axis.plot(epochs, [row["loss"] for row in history], marker=".", color="black")
    loss_axis.set(title="training loss", xlabel="epoch")
    for axis, (metric, title) in zip(metric_axes, METRICS.items(), strict=True):
        for source, values in history[-1]["validation"].items():
            if metric in values:
                axis.plot(epochs, [row["validation"][source][metric] for row in history], marker=".", label=source)
        axis.set(title=f"validation {title}", xlabel="epoch", ylim=(min(0.0, *axis.get_ylim()), 1))
        axis.grid(alpha=0.3)
    best = best_row(history)["epoch"]
    for axis in (loss_axis, *metric_axes):
        axis.axvline(best, color="grey", linestyle=":", label="best")
        axis.xaxis.get_major_locator().set_params(integer=True)
    metric_axes[0].legend(fontsize="small", loc="lower right")
    figure.savefig(path, dpi=110)


def best_row(history: list[dict[str, Any]]) -> dict[str, Any]:
    """The epoch whose weights are kept: the first with the highest score."""
    return max(history, key=lambda row: (row["score"], -row["epoch"]))


def report_text(config: TrainingConfig, history: list[dict[str, Any]], name: str) -> str:
    """The report in Markdown: best epoch, every epoch, configuration."""
    best = best_row(history)
    columns = [(s, m) for m in METRICS for s, values in sorted(best["validation"].items()) if m in values]
    rows = [["epoch", "loss", "score", *(f"{source} {METRICS[metric]}" for source, metric in columns)]]
    for row in history:
        metrics = [f"{row['validation'][source][metric]:.3f}" for source, metric in columns]
        epoch = f"**{row['epoch']}**" if row is best else str(row["epoch"])
        rows.append([epoch, f"{row['loss']:.4f}", f"{row['score']:.4f}", *metrics])
    settings = dataclasses.asdict(config) | (dataclasses.asdict(config.distillation) if config.distillation else {})
    del settings["distillation"]
    listed = [[key, " ".join(value) if isinstance(value, tuple) else value] for key, value in settings.items()]
    minutes = sum(row["seconds"] for row in history) / 60
    return f"""# Run {name}

{config.architecture} at {config.image_size} px: {len(history)} of {config.epochs} epochs in {minutes:.0f} minutes.
The weights of epoch {best["epoch"]} are kept. Metrics are those of single validation photographs, before calibration:
they select the best epoch, and overestimate the accuracy on new photographs.

![curves]({CURVES})

{table(rows)}
## Configuration

{table([["setting", "value"], *listed])}"""
