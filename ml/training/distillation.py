"""Knowledge distillation: teachers, and the loss of a student on the labels and on their outputs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from ml.data.augment import resize_images
from ml.training.batches import normalize
from ml.training.checkpoints import TrainedNetwork, load_trained
from ml.training.config import Distillation, TrainingConfig
from ml.training.losses import SupervisedLoss, kd_loss

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
        """[B, 3, H, W] in [0, 1], resized to each teacher's image size -> [B, K + 1] logits.

        [B, K] without oedema if a teacher has grades only.
        """
        logits = []
        for network, image_size in zip(self.networks, self.image_sizes, strict=True):
            x = normalize(resize_images(images, image_size))
            with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16):
                logits.append(network(x).float())
        n_outputs = min(each.shape[1] for each in logits)
        return torch.stack([each[:, :n_outputs] for each in logits]).mean(0)


def load_teachers(folders: Sequence[str], *, bf16: bool = False) -> TeacherEnsemble:
    """Load the networks of finished runs or bundles. Raises InputError or BundleError for any other folder."""
    return TeacherEnsemble([load_trained(Path(folder)) for folder in folders], bf16=bf16)


class DistillationLoss(SupervisedLoss):
    """Weighted sum of the loss on the labels and the divergence from the teacher's outputs.

    Student and teacher get the same augmented image, each at its own size (Beyer et al., CVPR 2022).
    """

    def __init__(self, config: TrainingConfig, settings: Distillation, teacher: TeacherEnsemble) -> None:
        super().__init__(config)
        self.settings, self.teacher, self.student_size = settings, teacher, config.image_size
        self.image_size = max(config.image_size, *teacher.image_sizes)

    def forward(self, network: nn.Module, images: "Tensor", targets: "Tensor") -> "dict[str, Tensor]":
        """[B + U, 3, S, S] in [0, 1], of which the first B have [B, 2] grades and oedema."""
        logits = network(normalize(resize_images(images, self.student_size))).float()  # [B + U, K + 1]
        task_loss = self.task_loss(logits[: len(targets)], targets)
        distillation_loss = kd_loss(logits, self.teacher(images), self.settings.temperature)
        weight = self.settings.distill_loss_weight
        loss = (1 - weight) * task_loss + weight * distillation_loss
        return {"loss": loss, "task_loss": task_loss, "distillation_loss": distillation_loss}
