"""Report of a training run: report.md and curves.png, written at its end."""

import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from ml.metrics.markdown import row_table
from ml.training.config import TrainingConfig, read_config

#: Validation metrics and their titles.
METRICS = {"kappa": "kappa", "auc": "AUC", "oedema_auc": "oedema AUC"}


def write_report(run: Path) -> None:
    """Write both files, from config.json and log.jsonl of the run."""
    history = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    plot_curves(history, run / "curves.png")
    (run / "report.md").write_text(report_text(read_config(run), history, run.name))


def plot_curves(history: list[dict[str, Any]], path: Path) -> None:
    """Plot the training loss and the validation metrics of each source over the epochs."""
    figure = Figure(figsize=(16, 3.6), layout="constrained")
    axes = figure.subplots(1, 1 + len(METRICS))
    epochs = [row["epoch"] for row in history]
    axes[0].plot(epochs, [row["loss"] for row in history], marker=".", color="black")
    axes[0].set(title="training loss")
    for axis, (metric, title) in zip(axes[1:], METRICS.items(), strict=True):
        for source in history[0]["validation"]:
            values = [row["validation"][source].get(metric, float("nan")) for row in history]
            axis.plot(epochs, values, marker=".", label=source)
        axis.set(title=f"validation {title}", ylim=(min(0.0, *axis.get_ylim()), 1))
        axis.grid(alpha=0.3)
    for axis in axes:
        axis.axvline(_best(history)["epoch"], color="grey", linestyle=":", label="best")
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[1].legend(fontsize="small", loc="lower right")
    figure.savefig(path, dpi=110)


def _best(history: list[dict[str, Any]]) -> dict[str, Any]:
    """The epoch whose weights are kept: the last one that was better than all before."""
    return [row for row in history if row["is_best"]][-1]


def report_text(config: TrainingConfig, history: list[dict[str, Any]], name: str) -> str:
    """The report in Markdown: best epoch, and every epoch."""
    best = _best(history)
    columns = [(s, m) for m in METRICS for s, metrics in sorted(best["validation"].items()) if m in metrics]
    rows = [
        {name: row[name] for name in ("epoch", "loss", "score")}
        | {f"{source} {METRICS[metric]}": row["validation"][source][metric] for source, metric in columns}
        for row in history
    ]
    minutes = sum(row["seconds"] for row in history) / 60
    return f"""# Run {name}

{config.architecture} at {config.image_size} px: {len(history)} of {config.epochs} epochs in {minutes:.0f} minutes.
The weights of epoch {best["epoch"]} are kept. Metrics are those of single validation photographs, before calibration:
they select the best epoch, and overestimate the accuracy on new photographs. The settings are in config.json.

![curves](curves.png)

{row_table(rows)}"""
