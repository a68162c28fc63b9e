"""The networks: ResNet-50 (teacher) and MobileNetV3-Small (student), both ending in pooling and a small head."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torchvision import models

from ml.vocabulary import N_GRADES

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

BUILDERS: "dict[str, Callable[..., nn.Module]]" = {
    "mobilenet_v3_small": models.mobilenet_v3_small,
    "resnet50": models.resnet50,
}
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def build(architecture: str, *, imagenet: Path | None = None) -> nn.Module:
    """A network with K = 5 outputs; ImageNet features from an .npz of torchvision's state-dict names.

    Raises ValueError for an unknown architecture and for weights that do not fit it.
    """
    if architecture not in BUILDERS:
        raise ValueError(f"Unknown architecture {architecture!r}. Known: {', '.join(sorted(BUILDERS))}.")
    network = BUILDERS[architecture](weights=None)
    if architecture == "resnet50":
        _stride_in_first_convolution(network)  # NB: no weight tells where the stride is, so it is always there
    if imagenet is not None:
        _load_npz(network, imagenet)
    _replace_head(network, architecture)
    return network


def _load_npz(network: nn.Module, path: Path) -> None:
    arrays = np.load(path)
    state = {
        name: torch.from_numpy(value if value.dtype == np.int64 else value.astype(np.float32))
        for name, value in arrays.items()
    }
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"{path.name} does not hold weights of this architecture.") from error


def _stride_in_first_convolution(network: nn.Module) -> None:
    """Put the stride of layers 2 to 4 into the first 1x1 convolution, as in He et al. 2015: see the weights' README."""
    for name in ("layer2", "layer3", "layer4"):
        block = network.get_submodule(f"{name}.0")
        block.get_submodule("conv1").stride = (2, 2)  # type: ignore[assignment]
        block.get_submodule("conv2").stride = (1, 1)  # type: ignore[assignment]


def _replace_head(network: nn.Module, architecture: str) -> None:
    if architecture == "resnet50":
        network.fc = nn.Sequential(nn.Dropout(0.2), nn.Linear(2048, N_GRADES))
    else:
        network.get_submodule("classifier").register_module("3", nn.Linear(1024, N_GRADES))


def features_and_head(network: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The part that gives the last feature map [B, C, h, w], and the part that turns its mean [B, C] into logits."""
    if isinstance(network, models.ResNet):
        features = nn.Sequential(*list(network.children())[:-2])
        return features, network.fc
    return network.get_submodule("features"), network.get_submodule("classifier")


def pooled(features: "Tensor") -> "Tensor":
    """Mean over the map: [B, C, h, w] -> [B, C]."""
    return features.mean(dim=(2, 3))
