"""Teachers of knowledge distillation: trained networks, for inference only."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from ml.data.augment import resize_images
from ml.training.batches import normalize
from ml.training.checkpoints import TrainedNetwork, load_trained

if TYPE_CHECKING:
    from torch import Tensor


class TeacherEnsemble(nn.Module):
    """One or more networks in evaluation mode, without gradients; their logits are averaged."""

    def __init__(self, teachers: Sequence[TrainedNetwork], *, bf16: bool = False) -> None:
        super().__init__()
        networks = [teacher.network.eval().requires_grad_(requires_grad=False) for teacher in teachers]
        self.networks, self.bf16 = nn.ModuleList(networks), bf16
        self.image_sizes = [teacher.image_size for teacher in teachers]

    @torch.no_grad()
    def forward(self, images: "Tensor") -> "Tensor":
        """[B, 3, H, W] in [0, 1], resized to each teacher's image size -> [B, K] logits."""
        logits = []
        for network, image_size in zip(self.networks, self.image_sizes, strict=True):
            x = normalize(resize_images(images, image_size))
            with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16):
                logits.append(network(x).float())
        return torch.stack(logits).mean(0)


def load_teachers(folders: Sequence[str], *, bf16: bool = False) -> TeacherEnsemble:
    """Load the networks of finished runs or bundles. Raises InputError or BundleError for any other folder."""
    return TeacherEnsemble([load_trained(Path(folder)) for folder in folders], bf16=bf16)
