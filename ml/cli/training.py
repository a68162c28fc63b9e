"""The commands that train: ``python -m ml train | distill | average``."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ml.cli.options import DataDir, data_dir
from ml.training.config import Distillation, TrainingConfig

ImageNet = Annotated[
    str | None,
    arg(metavar="FILE", help="ImageNet weights under torchvision's names (.npz), or: torchvision."),
]


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a model on labelled photographs."""

    config: TrainingConfig
    data: DataDir = field(default_factory=data_dir)
    imagenet: ImageNet = None
    output: Path = Path("runs/student")
    """Folder of the run; the cache of crops lies beside it."""
    resume: bool = False
    """Continue at the step of the last checkpoint."""

    def run(self) -> int:
        from ml.training.train import train

        print(train(self.config, data=self.data, imagenet=self.imagenet, run=self.output, resume=self.resume))
        return 0


@dataclass(frozen=True, kw_only=True)
class Distill:
    """Train a student with the outputs of teachers (knowledge distillation)."""

    distillation: Distillation
    config: TrainingConfig
    data: DataDir = field(default_factory=data_dir)
    imagenet: ImageNet = None
    output: Path
    """Folder of the student's run; the cache of crops lies beside it."""
    resume: bool = False
    """Continue at the step of the last checkpoint."""

    def run(self) -> int:
        from ml.training.train import train

        config = dataclasses.replace(self.config, distillation=self.distillation)
        print(train(config, data=self.data, imagenet=self.imagenet, run=self.output, resume=self.resume))
        return 0


@dataclass(frozen=True, kw_only=True)
class Average:
    """Interpolate a run's weights with its starting weights (WiSE-FT)."""

    folder: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of a finished run that started from a run or a bundle."""
    alpha: Annotated[float | None, arg(metavar="FLOAT")] = None
    """Weight of the starting weights, 0 to 1; none: the one that validates best."""
    data: DataDir = field(default_factory=data_dir)

    def run(self) -> int:
        from ml.training.weight_averaging import average

        print(average(self.folder, data=self.data, alpha=self.alpha), end="")
        return 0
