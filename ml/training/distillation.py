"""Knowledge distillation: the loss of a student on the labels and on the outputs of its teachers."""

from typing import TYPE_CHECKING

from torch import nn

from ml.data.augment import resize_images
from ml.training.batches import normalize
from ml.training.config import Distillation, TrainingConfig
from ml.training.losses import SupervisedLoss, kd_loss
from ml.training.teacher import TeacherEnsemble

if TYPE_CHECKING:
    from torch import Tensor


class DistillationLoss(SupervisedLoss):
    """Weighted sum of the loss on the labels and the divergence from the teacher's outputs.

    Student and teacher get the same augmented image, each at its own size (Beyer et al., CVPR 2022).
    """

    def __init__(self, config: TrainingConfig, settings: Distillation, teacher: TeacherEnsemble) -> None:
        super().__init__(config)
        self.settings, self.teacher, self.student_size = settings, teacher, config.image_size
        self.image_size = max(config.image_size, *teacher.image_sizes)

    def forward(self, network: nn.Module, images: "Tensor", grades: "Tensor") -> "dict[str, Tensor]":
        """[B + U, 3, S, S] in [0, 1], of which the first B have [B] grades."""
        logits = network(normalize(resize_images(images, self.student_size))).float()  # [B + U, K]
        task_loss = self.label_loss(logits[: len(grades)], grades)
        distillation_loss = kd_loss(logits, self.teacher(images), self.settings.temperature)
        weight = self.settings.distill_loss_weight
        loss = (1 - weight) * task_loss + weight * distillation_loss
        return {"loss": loss, "task_loss": task_loss, "distillation_loss": distillation_loss}
