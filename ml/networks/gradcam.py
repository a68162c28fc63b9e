"""Grad-CAM (Selvaraju et al., ICCV 2017) in closed form, for networks that end in pooling and a small head.

With z = mean of the last feature map A over its h x w cells, the gradient of logit k with respect to A is the same in
every cell: (1 / hw) dlogit_k/dz. So the heatmap needs one small matrix product and no backward pass, and the exported
graph can return it together with the logits.
"""

from typing import TYPE_CHECKING

import torch
from torch import nn

from ml.networks.architectures import features_and_head, global_average_pool

if TYPE_CHECKING:
    from torch import Tensor


class WithGradCAM(nn.Module):
    """A grading network that returns logits [B, K] and the Grad-CAM heatmap of every grade [B, K, h, w].

    The heatmaps are Grad-CAM's weighted sums after the ReLU, times hw: the evidence that each cell adds to the logit.
    They are not scaled to their own maximum, so a heatmap without evidence is all zero.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: "Tensor") -> "tuple[Tensor, Tensor]":
        """[B, 3, S, S] -> logits and heatmaps."""
        features, head = features_and_head(self.network)
        maps = features(images)  # [B, C, h, w]
        logits, gradients = logits_and_gradients(head, global_average_pool(maps))  # [B, K], [B, K, C] or [K, C]
        evidence = torch.matmul(gradients, maps.flatten(2))  # [B, K, h*w]
        heatmaps = torch.relu(evidence).view(*evidence.shape[:2], *maps.shape[2:])  # [B, K, h, w]
        return logits, heatmaps


def logits_and_gradients(head: nn.Module, z: "Tensor") -> "tuple[Tensor, Tensor]":
    """Logits [B, K] of pooled features ``z`` [B, C], and their gradients [B, K, C], or [K, C] for a linear head.

    The head is a chain of linear layers, hard swishes and (inactive) dropouts, and ends in a linear layer.
    Raises TypeError for any other layer.
    """
    derivatives: list[Tensor] = []
    for layer in list(head.children()) or [head]:
        if isinstance(layer, nn.Linear):
            derivatives.append(layer.weight)  # [C_out, C_in]
        elif isinstance(layer, nn.Hardswish):  # NB: before the layer is applied, which may be in place
            derivatives.append(hardswish_derivative(z).unsqueeze(1))  # [B, 1, C]
        elif not isinstance(layer, nn.Dropout):
            raise TypeError(f"No closed-form gradient is known for {type(layer).__name__} in the head.")
        z = layer(z)
    gradients = derivatives.pop()  # [K, C]
    for derivative in reversed(derivatives):  # chain rule
        gradients = gradients * derivative if derivative.ndim == 3 else gradients @ derivative  # [B, K, C]
    return z, gradients


def hardswish_derivative(x: "Tensor") -> "Tensor":
    """Derivative of x * min(max(x + 3, 0), 6) / 6 (Howard et al., ICCV 2019), at the two corners that of PyTorch."""
    middle = x / 3 + 0.5
    return torch.where(x <= -3, torch.zeros_like(x), torch.where(x < 3, middle, torch.ones_like(x)))
