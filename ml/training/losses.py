"""What training makes small: losses of labels in order, and of a student beside its teacher.

Logits are [B, K] float32, labels [B] int64; every loss is the mean over the batch.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ml.errors import InputError
from ml.training.config import TrainingConfig
from ml.vocabulary import N_GRADES

if TYPE_CHECKING:
    from torch import Tensor


def ordinal_target(grade: "Tensor", sharpness: float) -> "Tensor":
    """[B] grades -> [B, K] soft targets, falling with the squared distance to it (Diaz & Marathe, CVPR 2019)."""
    grades = torch.arange(N_GRADES, device=grade.device)
    distance = (grades.view(1, -1) - grade.view(-1, 1)).float() ** 2  # [B, K]
    return (-sharpness * distance).softmax(dim=1)


def sord(logits: "Tensor", grade: "Tensor", config: TrainingConfig) -> "Tensor":
    """Cross-entropy to the ordinal targets."""
    return functional.cross_entropy(logits, ordinal_target(grade, config.sord_alpha))


def cross_entropy(logits: "Tensor", grade: "Tensor", config: TrainingConfig) -> "Tensor":
    """Cross-entropy to the label alone, smoothed: every wrong grade is as wrong as any other."""
    return functional.cross_entropy(logits, grade, label_smoothing=config.label_smoothing)


LABEL_LOSSES: "dict[str, Callable[[Tensor, Tensor, TrainingConfig], Tensor]]" = {
    "sord": sord,
    "cross_entropy": cross_entropy,
}


def label_loss(name: str) -> "Callable[[Tensor, Tensor, TrainingConfig], Tensor]":
    """The loss of that name. Raises InputError for an unknown one."""
    if name not in LABEL_LOSSES:
        raise InputError(f"Unknown loss {name!r}. Known: {', '.join(sorted(LABEL_LOSSES))}.")
    return LABEL_LOSSES[name]


def kd_loss(student: "Tensor", teacher: "Tensor", temperature: float) -> "Tensor":
    """T^2 times the Kullback-Leibler divergence from the teacher's softened chances (Hinton et al. 2015).

    The factor keeps the gradient's size when T changes.
    """
    log_p, log_q = (student / temperature).log_softmax(1), (teacher / temperature).log_softmax(1)
    return functional.kl_div(log_p, log_q, reduction="batchmean", log_target=True) * temperature**2
