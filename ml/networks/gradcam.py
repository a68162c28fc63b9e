"""Grad-CAM (Selvaraju et al., ICCV 2017) in closed form, for networks that end in pooling and a small head.

With z = mean of the last feature map A over its h x w cells, the gradient of logit k with respect to A is the same in
every cell: (1 / hw) dlogit_k/dz. So the map needs one small matrix product and no backward pass, and the exported
graph can return it together with the logits.
"""

from typing import TYPE_CHECKING

import torch
from torch import nn

from ml.networks.architectures import features_and_head, pooled

if TYPE_CHECKING:
    from torch import Tensor


class WithGradCAM(nn.Module):
    """A grading network that returns logits [B, K] and the Grad-CAM map of every grade [B, K, h, w].

    The maps are Grad-CAM's weighted sums after the ReLU, times hw: the evidence each cell adds to the logit. They are
    not stretched to their own maximum, so a map without evidence stays blank.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, photos: "Tensor") -> "tuple[Tensor, Tensor]":
        features, head = features_and_head(self.network)
        maps = features(photos)  # [B, C, h, w]
        z = pooled(maps)  # [B, C]
        logits, slope = logits_and_slopes(head, z)  # [B, K], [B, K, C] or [K, C]
        evidence = torch.matmul(slope, maps.flatten(2))  # [B, K, h*w]
        heat = torch.relu(evidence).view(*evidence.shape[:2], *maps.shape[2:])  # [B, K, h, w]
        return logits, heat


def logits_and_slopes(head: nn.Module, z: "Tensor") -> "tuple[Tensor, Tensor]":
    """Logits [B, K] of pooled features ``z`` [B, C], and their derivatives with respect to them [B, K, C] or [K, C].

    The head is a chain of linear layers, hard swishes and (inactive) dropouts, and ends in a linear layer.
    Raises TypeError for any other layer.
    """
    slopes: list[Tensor] = []
    for layer in list(head.children()) or [head]:
        if isinstance(layer, nn.Linear):
            slopes.append(layer.weight)  # [C_out, C_in]
        elif isinstance(layer, nn.Hardswish):
            slopes.append(hardswish_slope(z).unsqueeze(1))  # [B, 1, C]; before the layer, which may work in place
        elif not isinstance(layer, nn.Dropout):
            raise TypeError(f"No closed-form gradient is known for {type(layer).__name__} in the head.")
        z = layer(z)
    slope = slopes.pop()  # [K, C]
    for earlier in reversed(slopes):
        slope = slope * earlier if earlier.ndim == 3 else slope @ earlier  # [B, K, C]
    return z, slope


def hardswish_slope(x: "Tensor") -> "Tensor":
    """Derivative of x * min(max(x + 3, 0), 6) / 6 (Howard et al., ICCV 2019); PyTorch's values at the two corners."""
    middle = x / 3 + 0.5
    return torch.where(x <= -3, torch.zeros_like(x), torch.where(x < 3, middle, torch.ones_like(x)))
