"""Knowledge distillation: the loss of a student on the labels and on the outputs of its teachers."""

from typing import TYPE_CHECKING

from torch import nn

from ml.data.augment import resize_images
from ml.errors import InputError
from ml.training.batches import normalize
from ml.training.config import Distillation, TrainingConfig
from ml.training.losses import kd_loss, label_loss
from ml.training.teacher import Ensemble, load_teachers

if TYPE_CHECKING:
    from torch import Tensor


class DistillationLoss(nn.Module):
    """Weighted sum of the loss on the labels and the divergence from the teacher's outputs.

    Student and teacher get the same augmented image, each at its own size (Beyer et al., CVPR 2022).
    ``image_size`` is the larger of the two.
    """

    def __init__(self, config: TrainingConfig, settings: Distillation, teacher: Ensemble) -> None:
        super().__init__()
        self.label_loss, self.settings, self.teacher = label_loss(config), settings, teacher
        self.student_size = config.image_size
        self.image_size = max(config.image_size, teacher.image_size)

    @classmethod
    def load(cls, config: TrainingConfig, settings: Distillation) -> "DistillationLoss":
        """Load the teachers. Raises InputError or BundleError for settings or teachers that cannot be used."""
        if not settings.teachers:
            raise InputError("Name a teacher: the configuration has none.")
        if not (0 <= settings.distill_loss_weight <= 1 and settings.temperature > 0):
            raise InputError("The weight of the distillation loss lies between 0 and 1, and the temperature above 0.")
        return cls(config, settings, load_teachers(settings.teachers, bf16=config.bf16 or settings.teacher_bf16))

    def forward(self, network: nn.Module, images: "Tensor", grades: "Tensor") -> "dict[str, Tensor]":
        """[B + U, 3, S, S] in [0, 1], of which the first B have [B] grades."""
        logits = network(normalize(resize_images(images, self.student_size))).float()  # [B + U, K]
        task_loss = self.label_loss(logits[: len(grades)], grades)
        distillation_loss = kd_loss(logits, self.teacher(images), self.settings.temperature)
        weight = self.settings.distill_loss_weight
        loss = (1 - weight) * task_loss + weight * distillation_loss
        return {"loss": loss, "task_loss": task_loss, "distillation_loss": distillation_loss}
