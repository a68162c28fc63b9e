"""Train the laterality network: ``python -m ml laterality train``.

Five classes: a right and a left eye upright, both turned by 180 degrees, and no macula-centred photograph. On an
upright photograph the fovea lies below the centre of the optic disc (by 7 degrees seen from the disc), so that a turned
one shows its disc on the other side and its fovea above. EyePACS labels the eye and not the orientation: there the loss
is that of both classes of the eye together (marginal likelihood).
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from ml.data.augment import BatchRandom
from ml.data.splits import TRAIN, VALIDATION
from ml.serving.laterality.network import N_CLASSES, VIEW_SIDE_PX
from ml.training.batches import AUGMENTATION, load_images, sample_rows, seeded_generator
from ml.training.checkpoints import best_weights
from ml.training.config import TrainingConfig, write_config
from ml.training.laterality.augment import augment_laterality
from ml.training.laterality.dataset import UNLABELLED_SOURCES, LateralitySet
from ml.training.trainer import Trainer, fit

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

#: Sources whose photographs are upright. Those without a label of the eye train the orientation alone.
UPRIGHT_SOURCES = ("odir5k", *UNLABELLED_SOURCES)
SOURCE_WEIGHTS = {
    "odir5k": 0.36, "messidor2": 0.12, "idrid": 0.06, "eyepacs": 0.18, "eyepacs_equalized": 0.12, "eyeq": 0.16,
}  # fmt: skip
PHOTOS_PER_EPOCH = 4096
CONFIG = TrainingConfig(
    architecture="laterality_network",
    sources=tuple(SOURCE_WEIGHTS),
    image_size=VIEW_SIDE_PX,
    cache_size=VIEW_SIDE_PX,
    epochs=30,
    batch_size=64,
    learning_rate=4e-3,
    weight_decay=0.03,
    loss="marginal_cross_entropy",
    ema_decay=0.995,
    threads=1,
)


class LateralityNet(nn.Module):
    """[B, 3, 96, 96] in [0, 1] -> [B, 5] logits."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out, stride in ((3, 16, 2), (16, 32, 2), (32, 48, 2), (48, 64, 1), (64, 96, 2), (96, 96, 1)):
            convolution = nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]
        self.features = nn.Sequential(*layers, nn.Conv2d(96, 24, 1), nn.ReLU(inplace=True))
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(24 * 36, N_CLASSES))

    def forward(self, photos: "Tensor") -> "Tensor":
        """Each channel is standardised: cameras differ in colour before they differ in anatomy."""
        mean = photos.mean(dim=(2, 3), keepdim=True)
        deviation = ((photos - mean) ** 2).mean(dim=(2, 3), keepdim=True).sqrt()
        maps = self.features((photos - mean) / (deviation + 0.02))  # [B, 24, 6, 6]
        logits: Tensor = self.head(maps.flatten(1))  # [B, 5]
        return logits


class MarginalLoss(nn.Module):
    """Cross-entropy of the classes that a label allows, together."""

    def forward(self, network: nn.Module, images: "Tensor", allowed: "Tensor") -> "dict[str, Tensor]":
        """``allowed`` [B, 5]: 1 for the classes that the label allows."""
        logs = network(images).float().log_softmax(dim=1)
        loss = -logs.masked_fill(allowed == 0, -torch.inf).logsumexp(dim=1).mean()
        return {"loss": loss, "task_loss": loss, "distillation_loss": torch.zeros_like(loss)}


class LateralityData:
    """Batches and validation of the laterality network."""

    def __init__(self, photos: LateralitySet, config: TrainingConfig) -> None:
        self.photos, self.config = photos, config
        self.n_steps = PHOTOS_PER_EPOCH // config.batch_size
        self.indices = photos.where(TRAIN)
        sources = photos.sources[self.indices]
        self.weights = torch.tensor([SOURCE_WEIGHTS[source] / (sources == source).sum() for source in sources])
        self.allowed = allowed_classes(photos)

    def batch(self, step: int, device: torch.device) -> "tuple[Tensor, Tensor]":
        """Augmented images [B, 3, 96, 96] and their allowed classes [B, 5]."""
        config = self.config
        sampled = sample_rows(self.weights, step, n_steps=self.n_steps, batch_size=config.batch_size, seed=config.seed)
        rows = self.indices[sampled]
        random = BatchRandom(seeded_generator(config.seed, AUGMENTATION, step), config.batch_size)
        images, allowed = augment_laterality(load_images(self.photos.pixels, rows), self.allowed[rows], random)
        return images.to(device), allowed.to(device)

    def validate(self, network: nn.Module) -> tuple[float, dict[str, dict[str, float]]]:
        """Mean log-likelihood of the labels, as exp(-loss), over validation photographs of ODIR and EyePACS."""
        rows = self.photos.where(VALIDATION)
        rows = rows[np.isin(self.photos.sources[rows], ("odir5k", "eyepacs"))]
        logs = torch.from_numpy(logits_of(network, self.photos.pixels[rows])).log_softmax(dim=1)
        own = logs.masked_fill(self.allowed[rows] == 0, -torch.inf).logsumexp(dim=1).numpy()
        sources = self.photos.sources[rows]
        means = {source: float(own[sources == source].mean()) for source in ("odir5k", "eyepacs")}
        return float(np.exp(np.mean(list(means.values())))), {s: {"log_likelihood": m} for s, m in means.items()}


def allowed_classes(photos: LateralitySet) -> "Tensor":
    """[n, 5]: 1 for each class that the label allows."""
    is_right, is_left, is_upright = (
        photos.eyes != "left",
        photos.eyes != "right",
        np.isin(photos.sources, UPRIGHT_SOURCES),
    )
    columns = [is_right, is_left, is_right & ~is_upright, is_left & ~is_upright, photos.qualities == "reject"]
    return torch.from_numpy(np.stack(columns, axis=1).astype(np.float32))


@torch.inference_mode()
def logits_of(network: nn.Module, pixels: "NDArray[np.uint8]") -> "NDArray[np.float32]":
    """(n, 96, 96, 3) uint8 -> (n, 5) logits."""
    network.eval()
    device = next(network.parameters()).device
    chunks = np.array_split(np.arange(len(pixels)), len(pixels) // 64 + 1)
    return torch.cat([network(load_images(pixels, rows, device).float() / 255) for rows in chunks]).cpu().numpy()


def train_laterality(
    config: TrainingConfig, photos: LateralitySet, *, run: Path, resume: bool = False
) -> LateralityNet:
    """Train to the end; returns the averaged network of the epoch with the best validation likelihood."""
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    trainer = Trainer(config, LateralityNet(), LateralityData(photos, config), MarginalLoss())
    write_config(config, run)
    fit(trainer, run, resume=resume)
    return load_laterality_net(run)


def load_laterality_net(run: Path) -> LateralityNet:
    """The network of a finished run."""
    network = LateralityNet()
    network.load_state_dict(best_weights(run))
    return network.eval()
