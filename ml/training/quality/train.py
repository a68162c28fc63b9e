"""Train the quality network: ``python -m ml quality train --imagenet imagenet.npz``.

The first blocks of MobileNetV3-Small at 128 x 128 pixels predict two labels: gradable, and of good quality, which
orders the gradable photographs by quality. Both and the features are released; logistic models are fitted to them.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn import functional

from ml.data.augment import BatchRandom, resize_images
from ml.data.splits import TRAIN, VALIDATION
from ml.networks.architectures import build
from ml.serving.quality.network import INPUT_SIDE_PX, VIEW_SIDE_PX
from ml.training.batches import AUGMENTATION, load_images, normalize, sample_rows, sampling_weights, seeded_generator
from ml.training.checkpoints import best_weights
from ml.training.config import TrainingConfig, write_config
from ml.training.quality.augment import augment_quality
from ml.training.quality.dataset import GRADED_WEIGHT, QualitySet
from ml.training.quality.sources import GRADED, QUALITY_SOURCES
from ml.training.trainer import Trainer, fit

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

N_BLOCKS, N_CHANNELS = 8, 48
PHOTOS_PER_EPOCH = 2400
#: Fractions of the sampled photographs. Nearly all photographs with the label reject are in EyeQ.
SOURCE_FRACTIONS = {"eyeq": 0.58, "eyepacs": 0.16, "aptos2019": 0.13, "odir5k": 0.13}
#: Target of photographs that have a grade and no quality label: a few of them cannot be graded.
GRADED_TARGET = 0.97
CONFIG = TrainingConfig(
    architecture="quality_network",
    sources=QUALITY_SOURCES,
    image_size=INPUT_SIDE_PX,
    cache_size=VIEW_SIDE_PX,
    epochs=5,
    learning_rate=2e-3,
    weight_decay=0.03,
    loss="binary_cross_entropy",
    ema_decay=0.99,
    threads=1,
)


class QualityNet(nn.Module):
    """[B, 3, S, S] in [0, 1] -> [B, 2] logits: gradable, and of good quality."""

    def __init__(self, imagenet: Path | None = None) -> None:
        super().__init__()
        backbone = build("mobilenet_v3_small", imagenet=imagenet)
        self.features = backbone.get_submodule("features")[:N_BLOCKS]  # type: ignore[index]  # a Sequential
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * N_CHANNELS, 2))

    def forward(self, photos: "Tensor") -> "Tensor":
        """Logits [B, 2]."""
        logits: Tensor = self.head(self.pooled(photos))
        return logits

    def pooled(self, photos: "Tensor") -> "Tensor":
        """Mean and maximum of the last feature map, [B, 96]: a local defect shows in the maximum."""
        maps = self.features(normalize(photos))  # [B, 48, h, w]
        return torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1)


class QualityLoss(nn.Module):
    """Weighted binary cross-entropy of both labels."""

    def forward(self, network: nn.Module, images: "Tensor", targets: "Tensor") -> "dict[str, Tensor]":
        """``targets`` [B, 2, 2]: targets and weights of both labels."""
        target, weight = targets.unbind(dim=1)
        logits = network(images).float()
        loss = functional.binary_cross_entropy_with_logits(logits, target, weight, reduction="sum") / len(images)
        return {"loss": loss, "task_loss": loss, "distillation_loss": torch.zeros_like(loss)}


class QualityData:
    """Batches and validation of the quality network."""

    def __init__(self, photos: QualitySet, config: TrainingConfig) -> None:
        self.photos, self.config = photos, config
        self.n_steps = PHOTOS_PER_EPOCH // config.batch_size
        self.indices = photos.where(TRAIN)
        sources, labels = photos.sources[self.indices], photos.labels[self.indices]
        self.weights = sampling_weights(sources, labels, source_weights=SOURCE_FRACTIONS)
        self.targets = targets_of(photos.labels)  # [n, 2, 2]

    def batch(self, step: int, device: torch.device) -> "tuple[Tensor, Tensor]":
        """Augmented images [B, 3, S, S] in [0, 1] and targets [B, 2, 2]; 0 for degraded images."""
        config = self.config
        sampled = sample_rows(self.weights, step, n_steps=self.n_steps, batch_size=config.batch_size, seed=config.seed)
        rows = self.indices[sampled]
        generator = seeded_generator(config.seed, AUGMENTATION, step)
        random = BatchRandom(generator, config.batch_size, device=device)
        images = load_images(self.photos.pixels, rows, device)
        images, is_degraded = augment_quality(images, random, image_size=config.image_size)
        targets = self.targets[rows].to(device)
        targets[is_degraded, 0] = 0.0
        return images, targets

    def validate(self, network: nn.Module) -> tuple[float, dict[str, dict[str, float]]]:
        """AUC of EyeQ's good and usable photographs against rejects."""
        rows = self.photos.where(VALIDATION)
        rows = rows[self.photos.sources[rows] == "eyeq"]
        logits = logits_of(network, self.photos.pixels[rows])
        auc = float(roc_auc_score(self.photos.labels[rows] != "reject", logits))
        return auc, {"eyeq": {"n": len(rows), "auc": round(auc, 4)}}


def targets_of(labels: "NDArray[np.str_]") -> "Tensor":
    """[n, 2, 2]: targets (gradable, good), and their weights in the loss."""
    gradable = np.where(labels == GRADED, GRADED_TARGET, labels != "reject")
    weight = np.where(labels == GRADED, GRADED_WEIGHT, 1.0)
    weight_of_good = np.where(labels == GRADED, 0.0, 0.5)
    columns = [[gradable, labels == "good"], [weight, weight_of_good]]
    return torch.tensor(np.array(columns), dtype=torch.float32).permute(2, 0, 1)


@torch.inference_mode()
def logits_of(network: nn.Module, pixels: "NDArray[np.uint8]") -> "NDArray[np.float32]":
    """(n, 192, 192, 3) uint8 -> (n,) logits of gradable, resized as at inference."""
    network.eval()
    device = next(network.parameters()).device
    chunks = np.array_split(np.arange(len(pixels)), len(pixels) // 64 + 1)
    images = (resize_images(load_images(pixels, rows, device), INPUT_SIDE_PX) for rows in chunks)
    return torch.cat([network(each)[:, 0] for each in images]).float().cpu().numpy()


def train_quality(
    config: TrainingConfig, photos: QualitySet, *, imagenet: Path | None, run: Path, resume: bool = False
) -> QualityNet:
    """Train to the end; returns the averaged network of the epoch with the best EyeQ validation AUC."""
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    trainer = Trainer(config, QualityNet(imagenet), QualityData(photos, config), QualityLoss())
    write_config(config, run)
    fit(trainer, run, resume=resume)
    return load_quality_net(run)


def load_quality_net(run: Path) -> QualityNet:
    """The network of a finished run."""
    network = QualityNet()
    network.load_state_dict(best_weights(run))
    return network.eval()
