"""The commands that train: ``python -m ml train | distill | average``."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ml.cli.options import DataOptions, RunOptions
from ml.training.config import Distillation, TrainingConfig


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(RunOptions):
    """A training run of a grading network."""

    config: TrainingConfig
    imagenet: Annotated[str | None, arg(metavar="FILE")] = None
    """ImageNet weights under torchvision's names (.npz), or: torchvision."""

    def train(self, config: TrainingConfig) -> int:
        from ml.training.train import train

        print(train(config, data=self.data, imagenet=self.imagenet, run=self.output, resume=self.resume))
        return 0


@dataclass(frozen=True, kw_only=True)
class Train(TrainingOptions):
    """Train a model on labelled photographs."""

    output: Path = Path("runs/student")
    """Folder of the run; the cache of crops lies beside it."""

    def run(self) -> int:
        return self.train(self.config)


@dataclass(frozen=True, kw_only=True)
class Distill(TrainingOptions):
    """Train a student with the outputs of teachers (knowledge distillation)."""

    distillation: Distillation

    def run(self) -> int:
        return self.train(dataclasses.replace(self.config, distillation=self.distillation))


@dataclass(frozen=True, kw_only=True)
class Average(DataOptions):
    """Interpolate a run's weights with its starting weights (WiSE-FT)."""

    folder: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of a finished run that started from a run or a bundle."""
    alpha: Annotated[float | None, arg(metavar="FLOAT")] = None
    """Weight of the starting weights, 0 to 1; none: the one that validates best."""

    def run(self) -> int:
        from ml.training.weight_averaging import average

        print(average(self.folder, data=self.data, alpha=self.alpha), end="")
        return 0
