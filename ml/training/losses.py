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
    return functional.cross_entropy(logits, ordinal_target(grade, config.ordinal_sharpness))


def cross_entropy(logits: "Tensor", grade: "Tensor", config: TrainingConfig) -> "Tensor":
    """Cross-entropy to the label alone, smoothed: every wrong grade is as wrong as any other."""
    return functional.cross_entropy(logits, grade, label_smoothing=config.label_smoothing)


def emd(logits: "Tensor", grade: "Tensor", config: TrainingConfig) -> "Tensor":
    """Smoothed cross-entropy plus the squared earth mover's distance between cumulated chances (Hou et al. 2016)."""
    truth = functional.one_hot(grade, N_GRADES).float()  # [B, K]
    gap = (logits.softmax(dim=1) - truth).cumsum(dim=1)  # [B, K]
    return cross_entropy(logits, grade, config) + gap.square().sum(dim=1).mean()


LABEL_LOSSES: "dict[str, Callable[[Tensor, Tensor, TrainingConfig], Tensor]]" = {
    "sord": sord,
    "cross_entropy": cross_entropy,
    "emd": emd,
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


def decoupled_loss(
    student: "Tensor",
    teacher: "Tensor",
    grade: "Tensor",
    temperature: float,
    *,
    target_share: float,
    others_share: float,
) -> "Tensor":
    """Hinton's divergence in its two parts, weighted apart (Zhao et al., CVPR 2022), times T^2.

    The first part compares the chances of "the label" and "another grade", the second those of the other grades among
    themselves; in Hinton's loss the second counts the less, the surer the teacher is of the label.
    """
    is_label = functional.one_hot(grade, N_GRADES).bool()  # [B, K]
    s, t = student / temperature, teacher / temperature
    target = functional.kl_div(
        _label_or_not(s, is_label), _label_or_not(t, is_label), reduction="none", log_target=True
    )
    log_p, log_q = _others(s, is_label), _others(t, is_label)
    others = functional.kl_div(log_p, log_q, reduction="none", log_target=True)
    both = target_share * target.sum(dim=1) + others_share * others.sum(dim=1)  # [B]
    return both.mean() * temperature**2


def _label_or_not(logits: "Tensor", is_label: "Tensor") -> "Tensor":
    """[B, K] -> [B, 2]: logarithms of the chances of the label and of all others together."""
    log_p = logits.log_softmax(dim=1)
    others = log_p.masked_fill(is_label, -torch.inf).logsumexp(dim=1)  # [B]
    return torch.stack([log_p[is_label], others], dim=1)


def _others(logits: "Tensor", is_label: "Tensor") -> "Tensor":
    """[B, K] -> [B, K - 1]: logarithms of the chances among the grades that are not the label."""
    rest = logits[~is_label].view(len(logits), N_GRADES - 1)
    return rest.log_softmax(dim=1)


def pooled_loss(student: "Tensor", teacher: "Tensor") -> "Tensor":
    """Squared distance of features [B, C], both scaled to unit length: 0 same, 2 unrelated, 4 opposite."""
    gap = functional.normalize(student, dim=1) - functional.normalize(teacher, dim=1)
    return gap.square().sum(dim=1).mean()


def attention_loss(student: "Tensor", teacher: "Tensor") -> "Tensor":
    """Squared distance of two attention maps [B, 1, h, w] and [B, 1, i, j] (Zagoruyko & Komodakis, ICLR 2017).

    They are compared at the student's grid, each scaled to unit length.
    """
    where = functional.interpolate(teacher, size=student.shape[2:], mode="bilinear", align_corners=False)
    gap = functional.normalize(student.flatten(1), dim=1) - functional.normalize(where.flatten(1), dim=1)
    return gap.square().sum(dim=1).mean()


def attention(maps: "Tensor") -> "Tensor":
    """[B, C, h, w] feature maps -> [B, 1, h, w]: where a network is active, the mean square over the channels."""
    return maps.square().mean(dim=1, keepdim=True)
