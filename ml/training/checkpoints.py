"""What a run leaves on disk to go on from, or to be read as a network."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ml.bundle import read_bundle
from ml.errors import InputError
from ml.networks.architectures import build
from ml.networks.from_onnx import from_bundle
from ml.training.config import read_config

if TYPE_CHECKING:
    from torch import Tensor, nn

BEST, LAST, AVERAGED = "best.pt", "last.pt", "averaged.pt"
"""The best averaged weights, the state to resume from, and their interpolation with the starting weights."""


def save_atomically(state: object, path: Path) -> None:
    """Write beside, then rename: a kill leaves the old file or the new one, never half of one.

    Two processes may write the same file: each has a partial file of its own.
    """
    partial = path.with_suffix(f".{os.getpid()}-{threading.get_native_id()}.partial")
    try:
        torch.save(state, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_state(path: Path) -> Any:
    """What ``save_atomically`` wrote, on the processor whatever device it came from."""
    return torch.load(path, map_location="cpu", weights_only=True)


def load_trained(folder: Path, *, photos: "Callable[[int], Tensor] | None" = None) -> "tuple[nn.Module, int]":
    """Load the network of a finished run or of a bundle; returns it with its image size in training.

    ``photos`` (side -> [n, 3, S, S]) gives normalised pictures for the statistics of a bundle's batch norms; they are
    needed to train it further, and not to use it. Raises InputError or BundleError for a folder that is neither.
    """
    if (folder / "bundle.json").is_file():
        bundle = read_bundle(folder, verify=True)
        network = from_bundle(bundle, photos=photos(bundle.side_px) if photos else None)
        return network, bundle.side_px
    config = read_config(folder)
    if not (folder / BEST).is_file():
        raise InputError(f"{folder} has no {BEST}: its first epoch is not finished.")
    network = build(config.architecture)
    network.load_state_dict(read_state(folder / (AVERAGED if config.alpha else BEST)))
    return network, config.image_size
