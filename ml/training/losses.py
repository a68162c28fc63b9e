"""Loss functions: soft ordinal labels, smoothed cross-entropy, macular oedema, and knowledge distillation.

Logits are float32: [B, K] of the grades, [B] of oedema; every loss is the mean over the batch.
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


def oedema_loss(logits: "Tensor", oedema: "Tensor") -> "Tensor":
    """Binary cross-entropy of the photographs with a label: [B] int64, 1 or 0, -1 if unknown."""
    known = oedema >= 0
    losses = functional.binary_cross_entropy_with_logits(logits, oedema.clamp(min=0).float(), reduction="none")
    return (losses * known).sum() / len(logits)


def kd_loss(student: "Tensor", teacher: "Tensor", temperature: float) -> "Tensor":
    """Knowledge distillation: T^2 KL(teacher || student) of logits divided by the temperature (Hinton et al. 2015).

    Of the grades [:, :K], and of oedema [:, K] if the teacher has that output. The factor T^2 keeps the size of the
    gradient if T changes.
    """
    student, teacher = student / temperature, teacher / temperature
    log_p, log_q = (logits[:, :N_GRADES].log_softmax(1) for logits in (student, teacher))
    loss = functional.kl_div(log_p, log_q, reduction="batchmean", log_target=True)
    if teacher.shape[1] > N_GRADES:
        log_p, log_q = (_log_binary(logits[:, N_GRADES]) for logits in (student, teacher))
        loss = loss + functional.kl_div(log_p, log_q, reduction="batchmean", log_target=True)
    return loss * temperature**2


def _log_binary(logits: "Tensor") -> "Tensor":
    """[B] logits -> [B, 2] log probabilities of yes and no."""
    return functional.logsigmoid(torch.stack([logits, -logits], dim=1))


class SupervisedLoss(nn.Module):
    """Loss of a grading network on labelled photographs; ``image_size`` is that of the images it takes."""

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__()
        self.grade_loss, self.image_size = label_loss(config), config.image_size
        self.oedema_weight = config.oedema_loss_weight

    def task_loss(self, logits: "Tensor", targets: "Tensor") -> "Tensor":
        """[B, K + 1] logits and [B, 2] grades and oedema."""
        grades, oedema = targets.unbind(dim=1)
        grade_loss = self.grade_loss(logits[:, :N_GRADES], grades)
        return grade_loss + self.oedema_weight * oedema_loss(logits[:, N_GRADES], oedema)

    def forward(self, network: nn.Module, images: "Tensor", targets: "Tensor") -> "dict[str, Tensor]":
        """[B, 3, S, S] in [0, 1], and [B, 2] grades and oedema (-1 if unknown)."""
        loss = self.task_loss(network(normalize(images)).float(), targets)
        return {"loss": loss, "task_loss": loss, "distillation_loss": torch.zeros_like(loss)}
