"""Weights of a released network: a safetensors file with the names of PyTorch's state dict.

Large arrays are stored in float16, which halves the file, and cast back to float32 when they are loaded.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from ml.bundle import Bundle, verified_files
from ml.errors import BundleError
from ml.networks.architectures import build, set_outputs

if TYPE_CHECKING:
    from torch import Tensor

MIN_FP16_VALUES = 1024
"""Smaller arrays and all vectors (biases, batch norms) stay float32: they take little space, and their rounding error
reaches a whole feature map."""


def stored_state(network: nn.Module) -> "dict[str, Tensor]":
    """The network's state dict as it is stored. Raises OverflowError for a weight beyond float16."""
    return {name: _stored(name, value.detach().cpu().contiguous()) for name, value in network.state_dict().items()}


def _stored(name: str, value: "Tensor") -> "Tensor":
    if value.dtype != torch.float32 or value.ndim < 2 or value.numel() < MIN_FP16_VALUES:
        return value
    half = value.half()
    if not half.isfinite().all():
        raise OverflowError(f"{name} holds a weight beyond float16.")
    return half


def save_half_precision(network: nn.Module, path: Path) -> None:
    """Write the network's weights and batch-norm statistics to ``path``."""
    path.write_bytes(save(stored_state(network)))


def load_network(bundle: Bundle) -> nn.Module:
    """The bundle's network in evaluation mode, in float32. Raises BundleError for altered or unfitting weights."""
    _, weights = verified_files(bundle)
    network = build(bundle.architecture)
    set_outputs(network, bundle.n_outputs)
    try:
        network.load_state_dict(load(weights))
    except (RuntimeError, SafetensorError) as error:
        raise BundleError(f"{bundle.weights} does not hold weights of a {bundle.architecture}.") from error
    return network.eval()


def byte_ranges(path: Path) -> dict[str, tuple[int, int]]:
    """Offset and length in bytes of each array in a safetensors file.

    Format: 8 bytes little-endian length of the header, the header in JSON, then the arrays, whose offsets count from
    the end of the header (https://huggingface.co/docs/safetensors).
    """
    with path.open("rb") as file:
        n_header_bytes = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(n_header_bytes))
    ranges = {name: entry["data_offsets"] for name, entry in header.items() if name != "__metadata__"}
    return {name: (8 + n_header_bytes + start, end - start) for name, (start, end) in ranges.items()}
