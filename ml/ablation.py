"""What a setting brings: finished runs side by side, those that differ by their seed alone as one row."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ml.errors import InputError
from ml.metrics.markdown import table
from ml.training.config import Distillation, TrainingConfig, read_config

NO_METHOD = (
    "seed",
    "n_threads",
    "checkpoint_seconds",
    "compile_backend",
    "ask_in_bf16",
    "keep_words",
    "start_share",
    "blended_with",
)
"""Settings that tell seeds and machines apart, what is kept on disk, and what was done to a run after its last epoch
(the figures of an outcome are those of its training)."""
OF_DISTILLATION = tuple(field.name for field in dataclasses.fields(Distillation))
FIGURES = ("kappa", "auc")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished run: the settings of its method by name, and the validation figures of its best epoch by source."""

    settings: dict[str, str]
    score: float
    validation: dict[str, dict[str, float]]


def outcome_of(run: Path) -> Outcome:
    """Read a run's folder. Raises InputError for a folder that is no run's, and where no epoch is finished."""
    config = read_config(run)
    log = run / "log.jsonl"
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    if not rows:
        raise InputError(f"{run} has no finished epoch.")
    best = max(rows, key=lambda row: float(row["score"]))
    return Outcome(_settings(config), best["score"], best["validation"])


def _settings(config: TrainingConfig) -> dict[str, str]:
    values = {f.name: getattr(config, f.name) for f in dataclasses.fields(config) if f.name != "distillation"}
    values["start"] = Path(config.start).name
    how = config.distillation
    values["distilled"] = "yes" if how else "no"
    values |= {name: getattr(how, name) if how else "-" for name in OF_DISTILLATION}
    if how:
        values["teacher"] = Path(how.teacher).name
        values["further_teachers"] = tuple(Path(folder).name for folder in how.further_teachers)
    return {name: _text(value) for name, value in values.items() if name not in NO_METHOD}


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none"  # NB: "-" says that the method has no such setting
    return str(value) or "-"


def outcomes_of(runs: list[Path]) -> list[Outcome]:
    """Of finished runs. Raises InputError for folders that are no runs, and for runs on different sources."""
    outcomes = [outcome_of(run) for run in runs]
    sources = outcomes[0].validation
    for run, outcome in zip(runs, outcomes, strict=True):
        if set(outcome.validation) != set(sources):
            raise InputError(f"{run} was validated on other sources than {runs[0]}: their figures cannot be compared.")
    return outcomes


def ablation_table(outcomes: list[Outcome]) -> str:
    """Markdown: a row for each method, the settings by which methods differ, the mean over its seeds and their range.

    The figures are of validation photographs, which chose the best epoch: good to choose by, not to report.
    """
    sources = list(outcomes[0].validation)
    differing = [name for name in outcomes[0].settings if _differs(name, outcomes)]
    methods: dict[tuple[str, ...], list[Outcome]] = {}
    for outcome in outcomes:
        methods.setdefault(tuple(outcome.settings[name] for name in differing), []).append(outcome)
    columns = [f"{source} {figure}" for source in sources for figure in FIGURES]
    rows = [[*differing, "runs", "score", *columns]]
    for method, same in sorted(methods.items(), key=lambda item: -float(np.mean([o.score for o in item[1]]))):
        cells = [_mean([o.validation[source][figure] for o in same]) for source in sources for figure in FIGURES]
        rows.append([*method, str(len(same)), _mean([o.score for o in same]), *cells])
    return table(rows)


def _differs(name: str, outcomes: list[Outcome]) -> bool:
    """Whether a setting tells two of them apart. That one run had no teacher says a column of its own."""
    values = {outcome.settings[name] for outcome in outcomes}
    return len(values - {"-"} if name in OF_DISTILLATION else values) > 1


def _mean(values: list[float]) -> str:
    mean = f"{np.mean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.3f}-{max(values):.3f})"
