"""Teacher networks of knowledge distillation: inference only, one or the mean of several."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ml.data.augment import resize_images
from ml.training.batches import normalize
from ml.training.checkpoints import load_trained

if TYPE_CHECKING:
    from torch import Tensor


class Teacher(nn.Module):
    """A trained network in evaluation mode, without gradients."""

    def __init__(self, network: nn.Module, image_size: int, *, bf16: bool = False) -> None:
        super().__init__()
        self.image_size, self.bf16 = image_size, bf16
        self.network = _fuse_batch_norms(network.eval().requires_grad_(requires_grad=False))

    @torch.no_grad()
    def forward(self, images: "Tensor") -> "Tensor":
        """[B, 3, H, W] in [0, 1], resized to the teacher's image size -> [B, K] logits."""
        x = normalize(resize_images(images, self.image_size))
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16):
            logits: Tensor = self.network(x)
        return logits.float()


class Ensemble(nn.Module):
    """Several teachers; the logits are their mean."""

    def __init__(self, teachers: Sequence[Teacher]) -> None:
        super().__init__()
        self.teachers = nn.ModuleList(teachers)
        self.image_size = max(teacher.image_size for teacher in teachers)

    def forward(self, images: "Tensor") -> "Tensor":
        """[B, 3, H, W] in [0, 1] -> [B, K] logits."""
        return torch.stack([teacher(images) for teacher in self.teachers]).mean(0)


def load_teachers(folders: Sequence[str], *, bf16: bool = False) -> Ensemble:
    """Load the networks of finished runs or bundles. Raises InputError or BundleError for any other folder."""
    trained = [load_trained(Path(folder)) for folder in folders]
    return Ensemble([Teacher(each.network, each.image_size, bf16=bf16) for each in trained])


def _fuse_batch_norms(network: nn.Module) -> nn.Module:
    """Fuse each batch norm into the convolution before it, in place: the same function in fewer operations."""
    convolution: nn.Conv2d | None = None
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.Conv2d):
            convolution = module
        elif isinstance(module, nn.BatchNorm2d) and convolution is not None:
            parent, _, child = name.rpartition(".")
            fused = fuse_conv_bn_eval(convolution, module)
            convolution.weight, convolution.bias = fused.weight, fused.bias
            network.get_submodule(parent).register_module(child, nn.Identity())
            convolution = None
    return network
