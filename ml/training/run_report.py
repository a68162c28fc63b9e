"""What a run shows while it goes on: curves.png and report.md, written anew after every epoch."""

import dataclasses
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ml.training.config import TrainingConfig

CURVES, REPORT = "curves.png", "report.md"


def write_report(config: TrainingConfig, history: list[dict[str, Any]], run: Path) -> None:
    """Write both files into the run. ``history`` holds the rows of log.jsonl, at least one."""
    draw_curves(history, run / CURVES)
    (run / REPORT).write_text(report_text(config, history, run.name))


def draw_curves(history: list[dict[str, Any]], path: Path) -> None:
    """Loss and learning rate, and validation kappa and AUC of each source, over the epochs."""
    epochs = [row["epoch"] for row in history]
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    loss, kappa, auc = figure.subplots(1, 3)
    loss.plot(epochs, [row["loss"] for row in history], marker=".", color="black")
    loss.set(title="training loss", xlabel="epoch")
    for axis, figure_name, title in ((kappa, "kappa", "validation kappa"), (auc, "auc", "validation AUC, referable")):
        for source in history[-1]["validation"]:
            values = [row["validation"].get(source, {}).get(figure_name) for row in history]
            axis.plot(epochs, values, marker=".", label=source)
        axis.set(title=title, xlabel="epoch", ylim=(min(0.0, *axis.get_ylim()), 1))
        axis.grid(alpha=0.3)
    best = best_row(history)["epoch"]
    for axis in (loss, kappa, auc):
        axis.axvline(best, color="grey", linestyle=":", label="best")
        axis.xaxis.get_major_locator().set_params(integer=True)
    kappa.legend(fontsize="small", loc="lower right")
    figure.savefig(path, dpi=110)


def best_row(history: list[dict[str, Any]]) -> dict[str, Any]:
    """The epoch whose weights are in best.pt: the first with the highest score."""
    return max(history, key=lambda row: (row["score"], -row["epoch"]))


def report_text(config: TrainingConfig, history: list[dict[str, Any]], name: str) -> str:
    """The report in Markdown: best epoch, every epoch, configuration."""
    best = best_row(history)
    sources = sorted(best["validation"])
    head = ["epoch", "loss", "score", *(f"{source} kappa" for source in sources), *(f"{s} AUC" for s in sources)]
    rows = [
        [
            f"**{row['epoch']}**" if row is best else str(row["epoch"]),
            f"{row['loss']:.4f}",
            f"{row['score']:.4f}",
            *(f"{row['validation'][source]['kappa']:.3f}" for source in sources),
            *(f"{row['validation'][source]['auc']:.3f}" for source in sources),
        ]
        for row in history
    ]
    settings = [[key, str(value)] for key, value in dataclasses.asdict(config).items() if key != "distillation"]
    if config.distillation is not None:
        settings += [[f"distillation: {key}", str(v)] for key, v in dataclasses.asdict(config.distillation).items()]
    minutes = sum(row["seconds"] for row in history) / 60
    summary = (
        f"{config.architecture} at {config.image_size} px: {len(history)} of {config.epochs} epochs in {minutes:.0f} "
        f"minutes; the weights of epoch {best['epoch']} are kept. Figures are of validation photographs, one by one "
        "and uncalibrated: they choose, they do not prove."
    )
    return "\n".join(
        [
            f"# Run {name}",
            "",
            summary,
            "",
            f"![curves]({CURVES})",
            "",
            markdown_table([head, *rows]),
            "## Configuration",
            "",
            markdown_table([["setting", "value"], *settings]),
        ]
    )


def markdown_table(rows: list[list[str]]) -> str:
    """The first row is the head."""
    head, *body = rows
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *body)) + "\n"
