"""Train the learned part of the quality gate: ``python -m ml quality train --imagenet imagenet.npz``.

The first blocks of MobileNetV3-Small look at 128 x 128 pixels of the retina and say two things: could a reader grade
it, and would a reader call it good. Only the first is released; the second teaches where in between a photograph lies.
"""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from ml.data.cache import FundusDataset, load_dataset
from ml.data.labels import DEFAULT_SOURCES, read_labels
from ml.data.splits import TRAIN, VALIDATION
from ml.networks.architectures import IMAGENET_MEAN, IMAGENET_STD
from ml.serving.quality.network import INPUT_SIDE_PX, network_view
from ml.training.quality.augment import augment_quality
from ml.training.quality.dataset import QualitySet, load_quality_set, read_photos, splits_of, subsampled

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

N_BLOCKS = 8
GRADING_CACHE_SIDE_PX = 320
SOURCE_SHARES = {"eyeq": 0.58, "eyepacs": 0.16, "aptos2019": 0.13, "odir5k": 0.13}
"""Of the photographs drawn in training. Nearly all rejects that readers named are in EyeQ."""
GRADED_WEIGHT = 0.5
GRADED_TARGET = 0.97
"""Of photographs that were graded and not judged: a few of them no reader could have graded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityConfig:
    """Everything a run depends on but the photographs."""

    n_epochs: int = 5
    n_per_epoch: int = 2400
    batch: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 0.03
    ema_decay: float = 0.99
    n_threads: int = 1
    seed: int = 1


class QualityNet(nn.Module):
    """[B, 3, S, S] in [0, 1] -> [B, 2] logits: gradable, and good."""

    def __init__(self, imagenet: Path | None = None) -> None:
        from torchvision import models

        super().__init__()
        whole = models.mobilenet_v3_small(weights=None)
        if imagenet is not None:
            arrays = np.load(imagenet)
            whole.load_state_dict({
                k: torch.from_numpy(v if v.dtype == np.int64 else v.astype(np.float32)) for k, v in arrays.items()
            })  # fmt: skip
        self.features = whole.features[:N_BLOCKS]
        width = 48
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * width, 2))
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(3, 1, 1), persistent=False)

    def forward(self, photos: "Tensor") -> "Tensor":
        """Mean and maximum of the last map, so that one bad corner and a bad whole both show."""
        mean, std = self.get_buffer("mean"), self.get_buffer("std")
        maps = self.features((photos - mean) / std)  # [B, 48, h, w]
        pooled = torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1)  # [B, 96]
        logits: Tensor = self.head(pooled)  # [B, 2]
        return logits


def load_quality(data: Path, cache: Path) -> QualitySet:
    """The photographs with labels, split like those of the grading networks."""
    grading = load_dataset([data / source for source in DEFAULT_SOURCES], side_px=GRADING_CACHE_SIDE_PX, cache=cache)
    photos = read_photos(data)
    photos, parts = subsampled(photos, splits_of(photos, grading, patients_of(grading, data)))
    return load_quality_set(photos, parts, cache=cache)


def patients_of(grading: FundusDataset, data: Path) -> list[str]:
    """The person of each photograph of the grading set, before patients were merged by copies."""
    group = {(p.source, p.path.name): p.group for source in DEFAULT_SOURCES for p in read_labels(data / source)}
    return [group[source, file] for source, file in zip(grading.sources.tolist(), grading.files, strict=True)]


def targets_of(labels: "NDArray[np.str_]") -> "tuple[Tensor, Tensor]":
    """[n, 2] targets (gradable, good) and [n, 2] weights of the loss."""
    gradable = np.where(labels == "graded", GRADED_TARGET, labels != "reject")
    good = labels == "good"
    weight = np.where(labels == "graded", GRADED_WEIGHT, 1.0)
    known = np.where(labels == "graded", 0.0, 0.5)
    return (
        torch.tensor(np.stack([gradable, good], axis=1), dtype=torch.float32),
        torch.tensor(np.stack([weight, known], axis=1), dtype=torch.float32),
    )


def sampling_weights(photos: QualitySet, indices: "NDArray[np.int64]") -> "Tensor":
    """(n,) chance of each training photograph: sources by SOURCE_SHARES, in EyePACS rare labels more often."""
    sources, labels = photos.sources[indices], photos.labels[indices]
    weights = np.zeros(len(indices))
    for source, share in SOURCE_SHARES.items():
        rows = sources == source
        inside = np.zeros(len(indices))
        for label in np.unique(labels[rows]):
            same = rows & (labels == label)
            inside[same] = same.sum() ** -0.5
        weights += share * inside / max(inside.sum(), 1e-9)
    return torch.from_numpy(weights)


def train_quality(config: QualityConfig, photos: QualitySet, *, imagenet: Path | None, run: Path) -> QualityNet:
    """Train to the end; returns the averaged network of the epoch that told EyeQ's validation rejects apart best."""
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.n_threads)
    run.mkdir(parents=True, exist_ok=True)
    network = QualityNet(imagenet).to(memory_format=torch.channels_last)
    average, best, best_auc = copy.deepcopy(network).eval(), network.state_dict(), -1.0
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    n_steps = config.n_per_epoch // config.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=config.n_epochs * n_steps + 1, pct_start=0.2
    )
    random = torch.Generator().manual_seed(config.seed)
    indices = photos.where(TRAIN)
    weights, (targets, importance) = sampling_weights(photos, indices), targets_of(photos.labels[indices])
    for epoch in range(config.n_epochs):
        network.train()
        drawn = torch.multinomial(weights, n_steps * config.batch, replacement=True, generator=random)
        losses = []
        for rows in tqdm(torch.split(drawn, config.batch), desc=f"epoch {epoch + 1}", unit="batch", mininterval=10):
            batch = torch.from_numpy(photos.pixels[indices[rows.numpy()]]).permute(0, 3, 1, 2)  # [B, 3, H, H]
            loss = _loss(network, batch, targets[rows], importance[rows], random)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
            _follow(
                average, network, decay=min(config.ema_decay, (1 + schedule.last_epoch) / (10 + schedule.last_epoch))
            )
        auc = validation_auc(average, photos)
        tqdm.write(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, EyeQ validation AUC {auc:.4f}")
        if auc > best_auc:
            best, best_auc = copy.deepcopy(average.state_dict()), auc
            torch.save(best, run / "best.partial")
            (run / "best.partial").replace(run / "best.pt")
    average.load_state_dict(best)
    return average


def _loss(network: nn.Module, batch: "Tensor", target: "Tensor", weight: "Tensor", random: torch.Generator) -> "Tensor":
    x, is_spoiled = augment_quality(batch, side_px=INPUT_SIDE_PX, random=random)  # [B, 3, S, S]
    target = torch.where(is_spoiled[:, None], torch.zeros_like(target), target)
    logits = network(x.contiguous(memory_format=torch.channels_last))  # [B, 2]
    losses = functional.binary_cross_entropy_with_logits(logits, target, weight, reduction="none")  # [B, 2]
    return losses.sum() / len(batch)


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, *, decay: float) -> None:
    for mean, now in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(now, 1 - decay)
        else:
            mean.copy_(now)


@torch.inference_mode()
def logits_of(network: nn.Module, pixels: "NDArray[np.uint8]") -> "NDArray[np.float64]":
    """(n, 192, 192, 3) uint8 -> (n,) logits of gradable, through the very scaling of serving."""
    network.eval()
    scores = []
    for start in range(0, len(pixels), 64):
        views = np.stack([network_view(view) for view in pixels[start : start + 64]])
        x = torch.from_numpy(views).permute(0, 3, 1, 2).float() / 255  # [B, 3, S, S]
        scores.append(network(x)[:, 0].double().numpy())
    return np.concatenate(scores)


def validation_auc(network: nn.Module, photos: QualitySet) -> float:
    """EyeQ's good and usable against reject."""
    rows = photos.where(VALIDATION)
    rows = rows[photos.sources[rows] == "eyeq"]
    return float(roc_auc_score(photos.labels[rows] != "reject", logits_of(network, photos.pixels[rows])))


def load_quality_net(run: Path) -> QualityNet:
    """The network of a finished run."""
    network = QualityNet()
    network.load_state_dict(torch.load(run / "best.pt", weights_only=True))
    return network.eval()
