"""Lay a finished network between what it was and what it became: ``python -m ml blend RUN``.

A network that is trained further gains on what it is shown and loses some of what it knew. On the straight line between
the two sets of weights there is often one that keeps both (WiSE-FT, Wortsman et al., CVPR 2022), and looking costs
nothing: no training, and the network stays as large as it was. Several runs from one start, which differ by seed or by
method, have a mean that may beat each (``--with``; model soups, Wortsman et al., ICML 2022): validation tells.
"""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from ml.errors import InputError
from ml.networks.architectures import build
from ml.training.checkpoints import BEST, BLENDED, read_state, save_atomically
from ml.training.config import TrainingConfig, read_config, write_config
from ml.training.provenance import BLEND, named, stage_of
from ml.training.train import load_run_data, starting_network
from ml.training.trainer import validate, validation_score

if TYPE_CHECKING:
    from torch import Tensor

    State = dict[str, Tensor]

START_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


class Trial(NamedTuple):
    """One share of the starting weights, and how the blend validates."""

    start_share: float
    score: float
    validation: dict[str, dict[str, float]]


def blend(run: Path, *, data: Path, share: float | None = None, further: tuple[Path, ...] = ()) -> str:
    """Blend a run's best weights with its starting weights; returns a table of all shares that were tried.

    With ``further`` runs, the mean of the best weights of all of them takes the place of the run's own.
    ``share`` in [0, 1] is that of the starting weights: where it is not given, the one that validates best. It is kept
    in the run's configuration, the blend beside the best weights, the figures in blend.json. Called again it begins
    from the best weights again; training that goes on forgets it. Raises InputError for a folder that is no finished
    run's, for a run that began from no network, and for further runs with another start, other sources or side.
    A blend that further runs have of their own is not used.
    """
    config = read_config(run)
    if share is not None and not 0 <= share <= 1:
        raise InputError("The share of the starting weights lies between 0 and 1.")
    if not config.start:
        raise InputError(f"{run} did not start from a trained network: there is nothing to blend it with.")
    if len({folder.name for folder in (run, *further)}) <= len(further):
        raise InputError("Two of the runs have the same name: each is another run, with a name of its own.")
    others = {folder: _comparable(folder, run) for folder in further}
    for folder in (run, *further):
        if not (folder / BEST).is_file():
            raise InputError(f"{folder} has no {BEST}: its first epoch is not finished.")
    retinas = load_run_data(config, data=data, cache=run.parent / "cache")
    start = starting_network(config, retinas, imagenet=None).state_dict()
    trained = mean_of([read_state(folder / BEST) for folder in (run, *further)])
    network = build(config.architecture)
    rows = []
    for tried in sorted({*START_SHARES, *([] if share is None else [share])}):
        network.load_state_dict(mixed(trained, start, tried))
        figures = validate(network.eval(), retinas, side_px=config.side_px)
        rows.append(Trial(tried, round(validation_score(figures), 4), figures))
    share = max(rows, key=lambda row: row.score).start_share if share is None else share
    told = {"with": [stage_of(*other) for other in others.items()], "trials": [row._asdict() for row in rows]}
    write_config(dataclasses.replace(config, start_share=0.0, blended_with=()), run)  # a kill leaves the run unblended
    (run / BLEND).write_text(json.dumps(told, indent=1))
    save_atomically(mixed(trained, start, share), run / BLENDED)
    names = tuple(named(folder) for folder in further)
    write_config(dataclasses.replace(config, start_share=share, blended_with=names), run)
    return _table(rows, share)


def _comparable(folder: Path, run: Path) -> TrainingConfig:
    """The configuration of a further run, without a blend of its own. Raises InputError for weights without a mean."""
    config, first = read_config(folder), read_config(run)
    for what in ("architecture", "side_px", "sources", "start"):
        if _plain(getattr(config, what)) != _plain(getattr(first, what)):
            raise InputError(f"{folder} has another {what} than {run}: their weights have no useful mean.")
    return dataclasses.replace(config, start_share=0.0, blended_with=())


def _plain(value: object) -> object:
    """The same for the same start, wherever a run was started from, and for the same sources in another order."""
    return sorted(value) if isinstance(value, tuple) else Path(str(value)).name


def mean_of(states: "list[State]") -> "State":
    """The mean of all weights and statistics; whole numbers, such as counts of batches, are the first network's."""
    return {
        name: torch.stack([state[name] for state in states]).mean(0) if value.dtype.is_floating_point else value
        for name, value in states[0].items()
    }


def mixed(trained: "State", start: "State", start_share: float) -> "State":
    """Weights and statistics between the two; whole numbers, such as counts of batches, are the trained network's."""
    return {
        name: value.lerp(start[name], start_share) if value.dtype.is_floating_point else value
        for name, value in trained.items()
    }


def _table(rows: list[Trial], chosen: float) -> str:
    lines = ["| share of the start | score | AUC, grade >= 2, and kappa by source |", "| --- | --- | --- |"]
    for row in rows:
        sources = ", ".join(f"{name} {each['auc']:.3f} {each['kappa']:.3f}" for name, each in row.validation.items())
        mark = " (taken)" if row.start_share == chosen else ""
        lines.append(f"| {row.start_share}{mark} | {row.score} | {sources} |")
    return "\n".join(lines)
