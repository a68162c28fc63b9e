"""Trials kept beside the released bundles, for their cards and reports: what was tried, and what came of it.

``ablation.json``: finished runs that differ by a setting. ``left_out.json``: networks that were trained without a
source and then read all of its photographs. The commands that print their tables write them, with ``--keep``.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

from ml.ablation import Outcome, ablation_table
from ml.bundle import Bundle, read_evaluation
from ml.errors import InputError
from ml.evaluation.predictions import EXTERNAL
from ml.metrics.markdown import table, with_interval

ABLATION, LEFT_OUT = "ablation.json", "left_out.json"
FIGURES = ("accuracy", "quadratic_kappa", "referable_auc", "referable_sensitivity", "referable_specificity")
ALIKE = ("architecture", "start", "side_px", "n_epochs", "learning_rate")
ALIKE_DISTILLED = ("teacher", "kind", "weight", "temperature", "unlabelled", "unlabelled_share")
"""Settings that are worth a word where all runs of an ablation share them, or all those with a teacher."""

LEFT_OUT_TEXT = """
### On a source that took no part in training
The networks below were trained without one source, to measure what a clinic with another camera and other people would
see, and then read all photographs of that source.{copy}{seen}

{rows}"""
ABLATION_TEXT = """## What distillation and its settings bring
Validation part, quadratic kappa of the mean grade rounded (before cuts are fitted) and AUC of grade >= 2 of the best
epoch; where a method was run with several seeds, their mean and range. The score is the worst natural source's AUC plus
the mean kappa. Settings that all share: {alike}; and all
that had a teacher: {distilled}.

{rows}"""


def keep_ablation(outcomes: list[Outcome], folder: Path) -> Path:
    """Write ablation.json beside the bundles in ``folder``, in place of an earlier one.

    Raises InputError where there is no such folder, or a run's in its place.
    """
    return _keep(folder / ABLATION, [dataclasses.asdict(outcome) for outcome in outcomes])


def ablation_section(folder: Path) -> str:
    """A section of a report in Markdown; empty where no ablation is kept beside the bundles in ``folder``."""
    outcomes = [Outcome(**each) for each in _kept(folder / ABLATION)]
    if not outcomes:
        return ""
    taught = [outcome for outcome in outcomes if outcome.settings["distilled"] == "yes"]
    return ABLATION_TEXT.format(
        alike=_shared(ALIKE, outcomes), distilled=_shared(ALIKE_DISTILLED, taught), rows=ablation_table(outcomes)
    )


def _shared(names: tuple[str, ...], outcomes: list[Outcome]) -> str:
    """Those of the settings that are the same in all of them, with their value."""
    values = {name: {outcome.settings[name] for outcome in outcomes} for name in names}
    return ", ".join(f"{name.replace('_', ' ')} {min(v)}" for name, v in values.items() if len(v) == 1) or "none"


def left_out_rows(bundles: list[Bundle]) -> list[dict[str, Any]]:
    """For each source that a bundle was not trained on: its name, the network, and the figures with intervals."""
    return [
        {
            "source": source,
            "bundle": bundle.model_version,
            "network": _network(bundle),
            "n": entry["n"],
            "figures": {name: entry["figures"][name] for name in FIGURES},
        }
        for bundle in bundles
        for source, entry in sorted(read_evaluation(bundle)["parts"].get(EXTERNAL, {}).items())
    ]


def _network(bundle: Bundle) -> str:
    stages = bundle.training["stages"]
    n_epochs = sum(stage.get("n_epochs_finished", stage["n_epochs"]) for stage in stages)
    return f"{bundle.architecture}, {bundle.side_px} px, {n_epochs} epochs"


def left_out_table(rows: list[dict[str, Any]]) -> str:
    """Figures on sources that a network was not trained on at all: what a new clinic will see."""
    head = ["source left out", "bundle", "network", "photographs", *(name.replace("_", " ") for name in FIGURES)]
    cells = [
        [r["source"], r["bundle"], r["network"], str(r["n"]), *(with_interval(r["figures"][name]) for name in FIGURES)]
        for r in rows
    ]
    return table([head, *cells])


def keep_left_out(rows: list[dict[str, Any]], folder: Path) -> Path:
    """Write left_out.json beside the bundles in ``folder``, in place of an earlier one.

    Raises InputError where there is no such folder, and where no source was left out.
    """
    if not rows:
        raise InputError("Each of these bundles was trained on every source: there is nothing to keep.")
    return _keep(folder / LEFT_OUT, rows)


def left_out_section(bundle: Bundle) -> str:
    """A section of a card in Markdown; empty where no such trial is kept beside the bundle."""
    rows = _kept(bundle.folder.parent / LEFT_OUT)
    if not rows:
        return ""
    left_out = {row["source"] for row in rows}
    trained_on = {source for stage in bundle.training["stages"] for source in stage["sources"]}
    copy = "\nEyePACS is left out together with its equalised copy." if "eyepacs" in left_out else ""
    seen = "\nThe network above has seen photographs of each of them." if left_out <= trained_on else ""
    return LEFT_OUT_TEXT.format(copy=copy, seen=seen, rows=left_out_table(rows))


def _keep(path: Path, entries: list[dict[str, Any]]) -> Path:
    if not path.parent.is_dir():
        raise InputError(f"{path.parent} is not a folder: --keep takes one that holds bundles.")
    if (path.parent / "config.json").is_file():
        raise InputError(f"{path.parent} is a run and would not be read as one: put --keep after the runs.")
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    path.write_text(f'{{"format": 1, "entries": [\n{lines}\n]}}\n')
    return path


def _kept(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text())["entries"]) if path.is_file() else []
