"""What led to a network, as its bundle and its card tell it: one stage for each training, the first one first."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ml.bundle import read_bundle
from ml.training.config import TrainingConfig, read_config

BLEND = "blend.json"
"""Of a run that was blended: how each share validated, and the stages of the further runs as they were then."""


def stages_of(run: Path) -> list[dict[str, Any]]:
    """The configurations that led to a run, the first one first; of a bundle those that it tells of.

    A stage whose network was blended with those of further runs holds theirs as ``blended_with``.
    """
    if (run / "bundle.json").is_file():
        return list(read_bundle(run).training["stages"])
    config = read_config(run)
    stage = stage_of(run, config)
    stage["blended_with"] = json.loads((run / BLEND).read_text())["with"] if config.blended_with else []
    return [*(stages_of(Path(config.start)) if config.start else []), stage]


def stage_of(run: Path, config: TrainingConfig) -> dict[str, Any]:
    """A run's own training and nothing that came before it or after it."""
    n_finished = len((run / "log.jsonl").read_text().splitlines())
    stage: dict[str, Any] = {"run": named(run), "n_epochs_finished": n_finished} | dataclasses.asdict(config)
    if config.start:
        stage["start"] = named(Path(config.start))
    if config.distillation is not None:
        how = stage["distillation"]
        how["teacher"] = named(Path(how["teacher"]))
        how["further_teachers"] = [named(Path(folder)) for folder in how["further_teachers"]]
    return stage


def named(folder: Path) -> str:
    """A run or a bundle by its name alone: where it lay on one machine is nobody's business."""
    parent = "ml/bundles" if (folder / "bundle.json").is_file() else "runs"
    return f"{parent}/{folder.name}"


def every_stage(stages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The stages, and after each those that it was blended with."""
    for stage in stages:
        yield stage
        yield from stage.get("blended_with", [])
