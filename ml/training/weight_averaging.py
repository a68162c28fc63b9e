"""Interpolate a run's weights with its starting weights (WiSE-FT): ``python -m ml average RUN``.

Fine-tuning improves accuracy on the new photographs and loses some of the earlier accuracy. Weights between the two
often keep both (Wortsman et al., CVPR 2022), without more training or a larger network.
"""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.errors import InputError
from ml.metrics.markdown import row_table
from ml.training.checkpoints import AVERAGED, best_weights, save_weights
from ml.training.config import read_config, write_config
from ml.training.run_data import RunData
from ml.training.train import initial_network

if TYPE_CHECKING:
    from torch import Tensor

    State = dict[str, Tensor]

ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)
RESULTS = "average.json"


def average(run: Path, *, data: Path, alpha: float | None = None) -> str:
    """Interpolate the best weights of a run with its starting weights; returns a table of the candidates.

    ``alpha`` in [0, 1] is the weight of the starting weights; without it, the one with the best validation score. It
    is written to the run's configuration, the result to averaged.safetensors, the metrics to average.json. A second
    call starts from the best weights again. Raises InputError for a folder that is not a finished run, and for a run
    that did not start from a trained network.
    """
    config = read_config(run)
    if alpha is not None and not 0 <= alpha <= 1:
        raise InputError("The weight of the starting weights lies between 0 and 1.")
    if not config.init_from:
        raise InputError(f"{run} did not start from a trained network: there is nothing to average it with.")
    trained, network = best_weights(run), initial_network(config, imagenet=None)
    start = {name: value.clone() for name, value in network.state_dict().items()}
    run_data = RunData.load(config, data=data, cache=run.parent / "cache")
    candidates: list[dict[str, Any]] = []
    for each in sorted({*ALPHAS, *([] if alpha is None else [alpha])}):
        network.load_state_dict(interpolate(trained, start, each))
        score, metrics = run_data.validate(network)
        candidates.append({"alpha": each, "score": round(score, 4), "validation": metrics})
    alpha = max(candidates, key=lambda candidate: candidate["score"])["alpha"] if alpha is None else alpha
    write_config(dataclasses.replace(config, alpha=0.0), run)  # a kill from here on leaves the run as it was trained
    (run / RESULTS).write_text(json.dumps(candidates, indent=1))
    save_weights(interpolate(trained, start, alpha), run / AVERAGED)
    write_config(dataclasses.replace(config, alpha=alpha), run)
    return _results_table(candidates, alpha)


def interpolate(trained: "State", start: "State", alpha: float) -> "State":
    """(1 - alpha) trained + alpha start, statistics included; whole numbers are those of the trained network."""
    return {
        name: value.lerp(start[name], alpha) if value.dtype.is_floating_point else value
        for name, value in trained.items()
    }


def _results_table(candidates: list[dict[str, Any]], chosen: float) -> str:
    rows = [
        {"alpha": f"{each['alpha']}{' (chosen)' if each['alpha'] == chosen else ''}", "score": each["score"]}
        | {f"{source} {metric}": m[metric] for source, m in each["validation"].items() for metric in ("auc", "kappa")}
        for each in candidates
    ]
    return row_table(rows)
