"""What a setting brings: finished runs side by side, those that differ by their seed alone as one row."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ml.training_config import Distillation, SettingsError, TrainingConfig, read_config

WITHOUT_EFFECT = ("seed", "n_threads", "checkpoint_seconds", "compile_backend", "teacher")
"""Settings that tell seeds, machines and folders apart, and no method."""
FIGURES = ("kappa", "auc")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished run: its settings as text, by name, and the validation figures of its best epoch, by source."""

    settings: dict[str, str]
    score: float
    validation: dict[str, dict[str, float]]


def outcome_of(run: Path) -> Outcome:
    """Read a run's folder. Raises SettingsError for a folder that is no run's, and where no epoch is finished."""
    config = read_config(run)
    log = run / "log.jsonl"
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    if not rows:
        raise SettingsError(f"{run} has no finished epoch.")
    best = max(rows, key=lambda row: float(row["score"]))
    return Outcome(_settings(config), best["score"], best["validation"])


def _settings(config: TrainingConfig) -> dict[str, str]:
    values = {f.name: getattr(config, f.name) for f in dataclasses.fields(config) if f.name != "distillation"}
    values["start"] = Path(config.start).name
    how = config.distillation
    values["distilled"] = "yes" if how else "no"
    values |= {f.name: getattr(how, f.name) if how else "-" for f in dataclasses.fields(Distillation)}
    return {name: _text(value) for name, value in values.items()}


def _text(value: Any) -> str:
    return " ".join(map(str, value)) or "-" if isinstance(value, tuple) else str(value) or "-"


def ablation_table(runs: list[Path]) -> str:
    """Markdown: a row for each method, the settings by which methods differ, the mean over its seeds and their range.

    The figures are of validation photographs, which chose the best epoch: good to choose by, not to report.
    """
    outcomes = [outcome_of(run) for run in runs]
    settings = [{k: v for k, v in o.settings.items() if k not in WITHOUT_EFFECT} for o in outcomes]
    differing = [name for name in settings[0] if len({each[name] for each in settings}) > 1]
    methods: dict[tuple[str, ...], list[Outcome]] = {}
    for outcome, each in zip(outcomes, settings, strict=True):
        methods.setdefault(tuple(each[name] for name in differing), []).append(outcome)
    sources = list(outcomes[0].validation)
    columns = [f"{source} {figure}" for source in sources for figure in FIGURES]
    lines = [_line([*differing, "runs", "score", *columns]), _line(["---"] * (len(differing) + 2 + len(columns)))]
    for method, same in sorted(methods.items(), key=lambda item: -float(np.mean([o.score for o in item[1]]))):
        cells = [_mean([o.validation[source][figure] for o in same]) for source in sources for figure in FIGURES]
        lines.append(_line([*method, str(len(same)), _mean([o.score for o in same]), *cells]))
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _mean(values: list[float]) -> str:
    mean = f"{np.mean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.3f}-{max(values):.3f})"
