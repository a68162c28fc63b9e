"""Train a grading network: ``python -m ml train --data ../shared/data --imagenet mobilenet_v3_small-imagenet.npz``.

One run is one folder: config.json, log.jsonl (a line an epoch), last.pt (resumable), best.pt (averaged weights).
"""

import copy
import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from ml.data.augment import augment, equalise_some, shrink
from ml.data.cache import RetinaSet, prepare
from ml.metrics import expected_grade, quadratic_kappa, referable_auc
from ml.networks import IMAGENET_MEAN, IMAGENET_STD, build
from ml.vocabulary import N_GRADES, REFERABLE_FROM

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

TRAIN, VALIDATION, TEST = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """Everything a run depends on but the photographs. Saved with the run and in the bundle."""

    architecture: str = "mobilenet_v3_small"
    sources: tuple[str, ...] = ("aptos2019", "eyepacs", "odir5k", "eyepacs_equalized")
    side_px: int = 224
    cache_side_px: int = 256
    n_epochs: int = 16
    batch: int = 32
    learning_rate: float = 6e-4
    weight_decay: float = 0.02
    ordinal_sharpness: float = 2.0
    ema_decay: float = 0.998
    rare_grade_power: float = 0.5
    use_bf16: bool = False
    n_threads: int = 2
    seed: int = 1
    frozen: tuple[str, ...] = ()
    """Modules that keep their starting weights and statistics, such as ("conv1", "bn1", "layer1"): a third faster."""
    equalised_share: float = 0.0
    """Of the photographs, the share shown with equalised channels, so that the equalised set teaches the others."""
    start: str = ""
    """Folder of a finished run whose best weights this one starts from, for a second stage at a larger input."""


def train(config: TrainingConfig, *, data: Path, imagenet: Path | None, run: Path, resume: bool = False) -> Path:
    """Train to the end and return the file with the best averaged weights. Resumes at the last finished epoch."""
    run.mkdir(parents=True, exist_ok=True)
    (run / "config.json").write_text(json.dumps(dataclasses.asdict(config), indent=1))
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.n_threads)
    retinas = load_retinas(config, data=data, cache=run.parent / "cache")
    network = build(config.architecture, imagenet=imagenet)
    if config.start:
        network.load_state_dict(torch.load(Path(config.start) / "best.pt", weights_only=True))
    training = Training(config, retinas, network)
    if resume and (run / "last.pt").exists():
        training.load_state(torch.load(run / "last.pt", weights_only=True))
    while training.epoch < config.n_epochs:
        row = training.run_epoch()
        with (run / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        if training.is_best:
            save_atomically(training.average.state_dict(), run / "best.pt")
        save_atomically(training.state(), run / "last.pt")
        tqdm.write(json.dumps(row))
    return run / "best.pt"


def load_retinas(config: TrainingConfig, *, data: Path, cache: Path) -> RetinaSet:
    """The cropped photographs of the run's sources."""
    return prepare([data / source for source in config.sources], side_px=config.cache_side_px, cache=cache)


def save_atomically(state: object, path: Path) -> None:
    """Write beside, then rename: a kill leaves the old file or the new one, never half of one."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


class Training:
    """One run in progress: network, its moving average, optimiser and schedule."""

    def __init__(self, config: TrainingConfig, retinas: RetinaSet, network: "nn.Module") -> None:
        self.config, self.retinas = config, retinas
        self.network = network.to(memory_format=torch.channels_last)
        for name in config.frozen:
            self.network.get_submodule(name).requires_grad_(False)
        self.average = copy.deepcopy(self.network).eval()
        self.indices = retinas.where(TRAIN)
        self.n_steps = len(self.indices) // config.batch
        self.optimiser = torch.optim.AdamW(
            [p for p in self.network.parameters() if p.requires_grad],
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, config.learning_rate, total_steps=config.n_epochs * self.n_steps + 1, pct_start=0.2
        )
        self.random = torch.Generator().manual_seed(config.seed)
        self.weights = sampling_weights(retinas, self.indices, power=config.rare_grade_power)
        self.epoch, self.best_score, self.is_best = 0, -1.0, False

    def state(self) -> dict[str, Any]:
        """What a resumed run needs to go on as if it had not stopped."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": self.random.get_state(),
            "dropout_random": torch.get_rng_state(),
            "epoch": self.epoch,
            "best_score": self.best_score,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up where ``state()`` was taken."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.random.set_state(state["random"])
        torch.set_rng_state(state["dropout_random"])
        self.epoch, self.best_score = state["epoch"], state["best_score"]

    def run_epoch(self) -> dict[str, Any]:
        """One pass; returns the log row. ``is_best`` then says whether the averaged weights are the best so far."""
        started = time.perf_counter()
        self.network.train()
        for name in self.config.frozen:
            self.network.get_submodule(name).eval()
        drawn = torch.multinomial(
            self.weights, self.n_steps * self.config.batch, replacement=True, generator=self.random
        )
        losses = []
        for step in tqdm(range(self.n_steps), desc=f"epoch {self.epoch + 1}", unit="batch", mininterval=5):
            chosen = self.indices[drawn[step * self.config.batch : (step + 1) * self.config.batch].numpy()]
            losses.append(self._step(chosen))
        self.epoch += 1
        per_source = self._validate()
        score = min(figures["kappa"] for name, figures in per_source.items() if name != "eyepacs_equalized")
        score += 0.5 * float(np.mean([figures["kappa"] for figures in per_source.values()]))
        self.is_best = score > self.best_score
        self.best_score = max(score, self.best_score)
        return {
            "epoch": self.epoch,
            "loss": round(float(np.mean(losses)), 4),
            "seconds": round(time.perf_counter() - started),
            "validation": per_source,
        }

    def _step(self, chosen: "NDArray[np.int64]") -> float:
        photos = as_batch(self.retinas, chosen)  # [B, 3, H, W]
        photos = equalise_some(photos, share=self.config.equalised_share, random=self.random)
        x = normalised(augment(photos, side_px=self.config.side_px, random=self.random))  # [B, 3, S, S]
        target = ordinal_target(torch.from_numpy(self.retinas.grades[chosen]), self.config.ordinal_sharpness)  # [B, K]
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.use_bf16):
            logits = self.network(x)  # [B, K]
        loss = functional.cross_entropy(logits.float(), target)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimiser.step()
        self.schedule.step()
        self._follow()
        return float(loss.detach())

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the network; faster at first, while it still holds the starting weights."""
        step = self.schedule.last_epoch
        decay = min(self.config.ema_decay, (1 + step) / (10 + step))
        for mean, now in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - decay)
            else:
                mean.copy_(now)

    def _validate(self) -> dict[str, dict[str, float]]:
        chosen = self.retinas.where(VALIDATION)
        probabilities = predict(self.average, self.retinas, chosen, side_px=self.config.side_px).softmax(1).numpy()
        truth, sources = self.retinas.grades[chosen], self.retinas.sources[chosen]
        grade = expected_grade(probabilities).round().astype(np.int64)
        p_referable = probabilities[:, REFERABLE_FROM:].sum(axis=1)
        return {
            str(source): {
                "n": int(rows.sum()),
                "accuracy": round(float((grade[rows] == truth[rows]).mean()), 4),
                "kappa": round(quadratic_kappa(truth[rows], grade[rows]), 4),
                "auc": round(referable_auc(truth[rows], p_referable[rows]) or 0.0, 4),
            }
            for source in np.unique(sources)
            for rows in [sources == source]
        }


def as_batch(retinas: RetinaSet, chosen: "NDArray[np.int64]") -> "Tensor":
    """[B, 3, H, W] uint8 of the chosen photographs."""
    return torch.from_numpy(np.ascontiguousarray(retinas.pixels[chosen])).permute(0, 3, 1, 2)


def normalised(x: "Tensor") -> "Tensor":
    """[B, 3, S, S] in [0, 1] -> what the ImageNet weights expect, channels last."""
    mean, std = torch.tensor(IMAGENET_MEAN).view(3, 1, 1), torch.tensor(IMAGENET_STD).view(3, 1, 1)
    return ((x - mean) / std).contiguous(memory_format=torch.channels_last)


def ordinal_target(grade: "Tensor", sharpness: float) -> "Tensor":
    """[B] grades -> [B, K] soft targets, falling with the squared distance to it (Diaz & Marathe, CVPR 2019)."""
    distance = (torch.arange(N_GRADES).view(1, -1) - grade.view(-1, 1)).float() ** 2  # [B, K]
    return (-sharpness * distance).softmax(dim=1)


def sampling_weights(retinas: RetinaSet, indices: "NDArray[np.int64]", *, power: float) -> "Tensor":
    """(n,) chance of each training photograph: sources by the square root of their size, rare grades more often."""
    sources, grades = retinas.sources[indices], retinas.grades[indices]
    weights = np.zeros(len(indices))
    for source in np.unique(sources):
        rows = sources == source
        share = np.bincount(grades[rows], minlength=N_GRADES) / rows.sum()
        inside = np.maximum(share[grades[rows]], 0.01) ** -power
        weights[rows] = inside / inside.sum() * np.sqrt(rows.sum())
    return torch.from_numpy(weights)


@torch.inference_mode()
def predict(network: "nn.Module", retinas: RetinaSet, chosen: "NDArray[np.int64]", *, side_px: int) -> "Tensor":
    """[n, K] logits of the chosen photographs, unchanged but for the scale."""
    network.eval()
    parts = [
        network(normalised(shrink(as_batch(retinas, chosen[start : start + 64]), side_px=side_px)))
        for start in range(0, len(chosen), 64)
    ]
    return torch.cat(parts)
