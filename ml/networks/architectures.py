"""Network architectures: ResNet-50 (teacher) and MobileNetV3-Small (student), both with pooling and a small head.

``tiny`` is for tests, and for a run of the whole pipeline in seconds.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torchvision import models

from ml.errors import InputError
from ml.vocabulary import N_GRADES

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

N_OUTPUTS = N_GRADES + 1
"""Logits of a network: K = 5 grades, then referable macular oedema."""
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
TORCHVISION = "torchvision"
"""In place of a file of ImageNet weights: those that torchvision downloads."""


class Tiny(nn.Module):
    """Four small convolutions."""

    def __init__(self, weights: None = None) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in ((3, 16), (16, 24), (24, 32), (32, 48)):
            convolution = nn.Conv2d(n_in, n_out, 3, stride=2, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Linear(48, 32), nn.Hardswish(), nn.Dropout(0.0), nn.Linear(32, N_OUTPUTS))

    def forward(self, images: "Tensor") -> "Tensor":
        """[B, 3, S, S] -> [B, K + 1]."""
        logits: Tensor = self.classifier(global_average_pool(self.features(images)))
        return logits


def _resnet50_v1(weights: None = None) -> nn.Module:
    """ResNet-50 with the stride of layers 2 to 4 in the first 1x1 convolution, as in He et al. 2015."""
    network: nn.Module = models.resnet50(weights=weights)
    for name in ("layer2", "layer3", "layer4"):
        block = network.get_submodule(f"{name}.0")
        block.get_submodule("conv1").stride = (2, 2)  # type: ignore[assignment]
        block.get_submodule("conv2").stride = (1, 1)  # type: ignore[assignment]
    return network


BUILDERS: "dict[str, Callable[..., nn.Module]]" = {
    "mobilenet_v3_small": models.mobilenet_v3_small,
    "resnet50": _resnet50_v1,
    "resnet50_v1_5": models.resnet50,
    "tiny": Tiny,
}
"""NB: the weights of a ResNet do not determine its strides, so its name must: ``resnet50`` strides in the first
convolution of a block, as the given ImageNet file expects, ``resnet50_v1_5`` in the second, as torchvision's do."""


def architecture_for(architecture: str, imagenet: Path | str | None) -> str:
    """The variant of the architecture that these ImageNet weights were trained with."""
    is_other = architecture == "resnet50" and str(imagenet) == TORCHVISION
    return "resnet50_v1_5" if is_other else architecture


def build(architecture: str, *, imagenet: Path | str | None = None) -> nn.Module:
    """Build a network with N_OUTPUTS outputs; ImageNet weights from an .npz with torchvision's names, or "torchvision".

    Raises InputError for an unknown architecture and for weights that do not fit it.
    """
    if architecture not in BUILDERS:
        raise InputError(f"Unknown architecture {architecture!r}. Known: {', '.join(sorted(BUILDERS))}.")
    if architecture_for(architecture, imagenet) != architecture:
        raise InputError(f"torchvision's weights of {architecture} need {architecture_for(architecture, imagenet)}.")
    network = BUILDERS[architecture](weights=None)
    if str(imagenet) == TORCHVISION:
        network.load_state_dict(_downloaded(architecture))
    elif imagenet is not None:
        _load_npz(network, Path(imagenet))
    _replace_head(network, architecture)
    return network


def _downloaded(architecture: str) -> "dict[str, Tensor]":
    """torchvision's default ImageNet weights, from its cache or its server. Raises InputError if there are none."""
    name = architecture.removesuffix("_v1_5")
    if name not in models.list_models():
        raise InputError(f"torchvision has no weights for {architecture}.")
    try:
        state: dict[str, Tensor] = models.get_model_weights(name).DEFAULT.get_state_dict(progress=True)
    except OSError as error:
        raise InputError(f"torchvision's weights of {architecture} could not be downloaded: {error}.") from error
    return state


def _load_npz(network: nn.Module, path: Path) -> None:
    try:
        network.load_state_dict({name: torch.from_numpy(value) for name, value in np.load(path).items()})
    except OSError as error:
        raise InputError(f"The ImageNet weights {path} cannot be read: {error.strerror or error}.") from error
    except RuntimeError as error:
        raise InputError(f"{path.name} does not hold weights of this architecture.") from error


def _replace_head(network: nn.Module, architecture: str) -> None:
    if isinstance(network, models.ResNet):
        network.fc = nn.Sequential(nn.Dropout(0.2), nn.Linear(2048, N_OUTPUTS))
    elif architecture == "mobilenet_v3_small":
        network.get_submodule("classifier").register_module("3", nn.Linear(1024, N_OUTPUTS))


def features_and_head(network: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The layers up to the last feature map [B, C, h, w], and those from its mean [B, C] to the logits."""
    if isinstance(network, models.ResNet):
        features = nn.Sequential(*list(network.children())[:-2])
        return features, network.fc
    return network.get_submodule("features"), network.get_submodule("classifier")


def last_layer(network: nn.Module) -> nn.Linear:
    """The layer that returns the logits."""
    *_, layer = (module for module in features_and_head(network)[1].modules() if isinstance(module, nn.Linear))
    return layer


def set_outputs(network: nn.Module, n: int) -> None:
    """Give the last layer ``n`` outputs, in place: it keeps the weights of the first ones, new ones start at 0."""
    layer = last_layer(network)
    kept = min(n, layer.out_features)
    weight, bias = torch.zeros(n, layer.in_features), torch.zeros(n)
    weight[:kept], bias[:kept] = layer.weight.detach()[:kept], layer.bias.detach()[:kept]
    layer.weight, layer.bias, layer.out_features = nn.Parameter(weight), nn.Parameter(bias), n


def global_average_pool(features: "Tensor") -> "Tensor":
    """[B, C, h, w] -> [B, C]."""
    return features.mean(dim=(2, 3))
