"""Loss functions: soft ordinal labels, smoothed cross-entropy, and knowledge distillation.

Logits are [B, K] float32, grades [B] int64; every loss is the mean over the batch.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from ml.errors import InputError
from ml.training.batches import normalize
from ml.training.config import TrainingConfig
from ml.vocabulary import N_GRADES

if TYPE_CHECKING:
    from torch import Tensor

    LabelLoss = Callable[[Tensor, Tensor], Tensor]


def sord_targets(grades: "Tensor", alpha: float) -> "Tensor":
    """[B] grades -> [B, K] soft ordinal labels: softmax(-alpha * squared distance) (Diaz & Marathe, CVPR 2019)."""
    classes = torch.arange(N_GRADES, device=grades.device)
    distance = (classes.view(1, -1) - grades.view(-1, 1)).float() ** 2  # [B, K]
    return (-alpha * distance).softmax(dim=1)


def sord_loss(logits: "Tensor", grades: "Tensor", *, alpha: float) -> "Tensor":
    """Cross-entropy to soft ordinal labels."""
    return functional.cross_entropy(logits, sord_targets(grades, alpha))


def label_loss(config: TrainingConfig) -> "LabelLoss":
    """The configured loss on the labels. Raises InputError for an unknown one."""
    losses: dict[str, LabelLoss] = {
        "cross_entropy": partial(functional.cross_entropy, label_smoothing=config.label_smoothing),
        "sord": partial(sord_loss, alpha=config.sord_alpha),
    }
    if config.loss not in losses:
        raise InputError(f"Unknown loss {config.loss!r}. Known: {', '.join(losses)}.")
    return losses[config.loss]


def kd_loss(student: "Tensor", teacher: "Tensor", temperature: float) -> "Tensor":
    """Knowledge distillation: T^2 KL(teacher || student) of logits divided by the temperature (Hinton et al. 2015).

    The factor T^2 keeps the size of the gradient if T changes.
    """
    log_p, log_q = (student / temperature).log_softmax(1), (teacher / temperature).log_softmax(1)
    return functional.kl_div(log_p, log_q, reduction="batchmean", log_target=True) * temperature**2


class SupervisedLoss(nn.Module):
    """Loss of a grading network on graded photographs; ``image_size`` is that of the images it takes."""

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__()
        self.label_loss, self.image_size = label_loss(config), config.image_size

    def forward(self, network: nn.Module, images: "Tensor", grades: "Tensor") -> "dict[str, Tensor]":
        """[B, 3, S, S] in [0, 1] and [B] grades."""
        loss = self.label_loss(network(normalize(images)).float(), grades)
        return {"loss": loss, "task_loss": loss, "distillation_loss": torch.zeros_like(loss)}
