"""Files of a run: weights in safetensors, the state to resume from, and the training history."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file

from ml.bundle import read_bundle
from ml.data.cache_files import atomic_write
from ml.errors import InputError
from ml.networks.architectures import build
from ml.networks.weights import load_network
from ml.training.config import read_config

if TYPE_CHECKING:
    from torch import Tensor, nn

#: Averaged weights of the best epoch, their interpolation with the starting weights, and the state to resume from.
BEST, AVERAGED, LAST = "best.safetensors", "averaged.safetensors", "last.pt"


class TrainedNetwork(NamedTuple):
    """A network with its architecture and the image size, in pixels, that it was trained at."""

    network: "nn.Module"
    architecture: str
    image_size: int


def save_weights(state: "dict[str, Tensor]", path: Path) -> None:
    """Save a state dict as safetensors."""
    with atomic_write(path) as partial:
        save_file({name: value.contiguous() for name, value in state.items()}, partial)


def save_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Save the state of a trainer."""
    with atomic_write(path) as partial:
        torch.save(state, partial)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Load the state of a trainer onto the CPU."""
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def best_weights(run: Path) -> "dict[str, Tensor]":
    """The state dict of the best epoch. Raises InputError if no epoch is finished."""
    if not (run / BEST).is_file():
        raise InputError(f"{run} has no {BEST}: its first epoch is not finished.")
    return load_file(run / BEST)


def load_trained(folder: Path) -> TrainedNetwork:
    """Load the network of a finished run, interpolated if it was averaged, or of a bundle.

    Raises InputError or BundleError for any other folder.
    """
    if (folder / "bundle.json").is_file():
        bundle = read_bundle(folder)
        return TrainedNetwork(load_network(bundle), bundle.architecture, bundle.image_size)
    config = read_config(folder)
    state = load_file(folder / AVERAGED) if config.alpha else best_weights(folder)
    network = build(config.architecture)
    network.load_state_dict(state)
    return TrainedNetwork(network, config.architecture, config.image_size)


def training_history(run: Path) -> list[dict[str, Any]]:
    """The configuration of each training stage that led to a run or a bundle, the first one first."""
    if (run / "bundle.json").is_file():
        return list(read_bundle(run).training["stages"])
    config = read_config(run)
    n_epochs = len((run / "log.jsonl").read_text().splitlines())
    stage = {"run": _label(run), "epochs_finished": n_epochs, **dataclasses.asdict(config)}
    if config.init_from:
        stage["init_from"] = _label(Path(config.init_from))
    if config.distillation is not None:
        stage["distillation"]["teachers"] = [_label(Path(folder)) for folder in config.distillation.teachers]
    return [*(training_history(Path(config.init_from)) if config.init_from else []), stage]


def _label(folder: Path) -> str:
    """Name of a run or bundle without the machine-specific path above it."""
    parent = "ml/bundles" if (folder / "bundle.json").is_file() else "runs"
    return f"{parent}/{folder.name}"
