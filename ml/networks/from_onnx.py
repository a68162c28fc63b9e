"""A torch network from a released bundle, to train further or to teach: its ONNX graph holds all weights.

The exporter folds every batch norm into the convolution before it: y -> w y + b becomes the convolution's own weights
and a bias. Here the batch norm is put back so that it undoes its own normalising. With mean m and variance v of what
the folded convolution gives on photographs, its weight is sqrt(v + eps) and its bias b + m: the same function for any m
and v, and with measured ones also the same in training, where the batch's own statistics take their place.
"""

from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from ml.bundle import Bundle, verified_weights
from ml.errors import BundleError
from ml.networks.architectures import build, features_and_head

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

BATCH = 32


def from_bundle(bundle: Bundle, *, photos: "Tensor | None" = None) -> nn.Module:
    """The bundle's network, in evaluation mode, computing what its ONNX graph computes.

    ``photos`` [n, 3, S, S], normalised: what the statistics of the batch norms are measured on; needed where training
    goes on. Raises BundleError for altered weights and for a graph that is not this software's export.
    """
    arrays = _constants(onnx.load_from_string(verified_weights(bundle)))
    network = build(bundle.architecture)
    features, head = features_and_head(network)
    named = nn.ModuleDict({"features": features, "head": head})  # the names under which the graph was exported
    norms = _norms(named)
    with torch.no_grad():
        for name, module in named.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                _fill(module.weight, arrays, f"{name}.weight", bundle)
                if module.bias is not None:
                    _fill(module.bias, arrays, f"{name}.used_bias", bundle)
        for name, norm in norms.items():
            _neutral(norm, torch.zeros(norm.num_features), torch.ones(norm.num_features))
            folded = torch.zeros(norm.num_features)
            _fill(folded, arrays, f"{name}.used_bias", bundle)
            norm.bias.add_(folded)
    network.eval()
    if photos is not None:
        _measure(network, list(norms.values()), photos)
    return network


def _constants(model: onnx.ModelProto) -> "dict[str, NDArray[np.generic]]":
    """Every array of the graph by its name, those stored in fewer bits turned back as the graph does it."""
    arrays = {array.name: numpy_helper.to_array(array) for array in model.graph.initializer}
    for node in model.graph.node:
        if not all(name in arrays for name in node.input):
            continue
        inputs = [arrays[name] for name in node.input]
        if node.op_type == "Cast":
            arrays[node.output[0]] = inputs[0].astype(np.float32)
        elif node.op_type == "Mul":
            arrays[node.output[0]] = np.multiply(*inputs)
    for node in model.graph.node:  # by its use: equal biases are stored once, under the name of one of them
        if node.op_type not in {"Conv", "Gemm"} or node.input[1] not in arrays:
            continue
        name = f"{node.input[1].removesuffix('.weight')}.used_bias"
        if len(node.input) < 3:  # the exporter leaves a bias of zeros out
            arrays[name] = np.zeros(len(arrays[node.input[1]]), np.float32)
        elif node.input[2] in arrays:
            arrays[name] = arrays[node.input[2]]
    return arrays


def _fill(target: "Tensor", arrays: "dict[str, NDArray[np.generic]]", name: str, bundle: Bundle) -> None:
    value = arrays.get(name)
    if value is None or value.shape != tuple(target.shape):
        raise BundleError(f"{bundle.weights} is not an export of {bundle.architecture}: {name} is missing or foreign.")
    target.copy_(torch.from_numpy(value.astype(np.float32)))


def _norms(network: nn.Module) -> dict[str, nn.BatchNorm2d]:
    """Each batch norm under the name of the convolution that feeds it, in the order of the network's definition."""
    norms: dict[str, nn.BatchNorm2d] = {}
    before = ""
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            norms[before] = module
        elif isinstance(module, nn.Conv2d):
            before = name
    return norms


def _neutral(norm: nn.BatchNorm2d, mean: "Tensor", variance: "Tensor") -> None:
    """Set the statistics so that the batch norm adds nothing but ``bias``: weight and bias undo them."""
    if norm.running_mean is None or norm.running_var is None:
        raise TypeError("A batch norm without running statistics cannot be made neutral.")
    norm.weight.copy_((variance + norm.eps).sqrt())
    norm.bias.copy_(mean)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)


@torch.no_grad()
def _measure(network: nn.Module, norms: list[nn.BatchNorm2d], photos: "Tensor") -> None:
    """Replace the statistics by those of ``photos``; one pass is enough, as no layer's function changes."""
    sums: dict[nn.Module, Tensor] = {norm: torch.zeros(2, norm.num_features, dtype=torch.float64) for norm in norms}
    counts: dict[nn.Module, int] = dict.fromkeys(norms, 0)

    def add(norm: "nn.Module", inputs: "tuple[Tensor]") -> None:
        x = inputs[0].double()  # [B, C, h, w]
        sums[norm] += torch.stack([x.sum(dim=(0, 2, 3)), x.square().sum(dim=(0, 2, 3))])
        counts[norm] += x.numel() // x.shape[1]

    hooks = [norm.register_forward_pre_hook(add) for norm in norms]
    for start in range(0, len(photos), BATCH):
        network(photos[start : start + BATCH])
    for hook in hooks:
        hook.remove()
    for norm in norms:
        mean, square = sums[norm] / counts[norm]
        folded = norm.bias.clone()  # before this, mean 0: the bias is the folded one alone
        _neutral(norm, mean.float(), (square - mean.square()).clamp_min(0).float())
        norm.bias.add_(folded)
