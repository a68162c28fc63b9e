"""Training history of a network: the configuration of each training stage, the first one first."""

import dataclasses
from pathlib import Path
from typing import Any

from ml.bundle import read_bundle
from ml.training.config import read_config


def training_history(run: Path) -> list[dict[str, Any]]:
    """The configurations that led to a run or a bundle, the first one first."""
    if (run / "bundle.json").is_file():
        return list(read_bundle(run).training["stages"])
    config = read_config(run)
    stage: dict[str, Any] = {
        "run": run_label(run),
        "epochs_finished": len((run / "log.jsonl").read_text().splitlines()),
    }
    stage |= dataclasses.asdict(config)
    if config.init_from:
        stage["init_from"] = run_label(Path(config.init_from))
    if config.distillation is not None:
        stage["distillation"]["teachers"] = [run_label(Path(folder)) for folder in config.distillation.teachers]
    return [*(training_history(Path(config.init_from)) if config.init_from else []), stage]


def run_label(folder: Path) -> str:
    """Name of a run or bundle without the machine-specific path above it."""
    parent = "ml/bundles" if (folder / "bundle.json").is_file() else "runs"
    return f"{parent}/{folder.name}"
