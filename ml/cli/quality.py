"""The commands of the quality gate: ``python -m ml quality train | export | fit | fit-colors | gates | card``."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ml.cli.options import DataOptions, OptionalPath, RunOptions

RUN = Path("runs/quality")


@dataclass(frozen=True, kw_only=True)
class Train(RunOptions):
    """Train the quality network, which predicts whether a photograph can be graded."""

    output: Path = RUN
    """Folder of the run; the cache of crops lies beside it."""
    imagenet: OptionalPath = None
    """ImageNet weights under torchvision's names (.npz)."""
    epochs: int = 5
    """Number of epochs."""
    seed: int = 1
    """Seed of all random numbers."""

    def run(self) -> int:
        from ml.training.quality.dataset import load_quality_set
        from ml.training.quality.train import CONFIG, train_quality

        photos = load_quality_set(self.data, self.output.parent / "cache")
        config = dataclasses.replace(CONFIG, epochs=self.epochs, seed=self.seed)
        train_quality(config, photos.originals(), imagenet=self.imagenet, run=self.output, resume=self.resume)
        return 0


@dataclass(frozen=True, kw_only=True)
class Export(DataOptions):
    """Export the quality network of a finished run into ml/serving/quality, with the models fitted to its outputs."""

    folder: Annotated[Positional[Path], arg(metavar="RUN")] = RUN
    """Folder of the run."""
    negatives: tuple[Path, ...] = ()
    """Folders of photographs that show no retina."""

    def run(self) -> int:
        from ml.training.config import read_config
        from ml.training.quality.dataset import load_quality_set
        from ml.training.quality.export import release
        from ml.training.quality.negatives import negative_set
        from ml.training.quality.train import load_quality_net

        photos = load_quality_set(self.data, self.folder.parent / "cache")
        negatives = negative_set(self.negatives, data=self.data)
        release(load_quality_net(self.folder), photos, read_config(self.folder), negatives=negatives)
        return 0


@dataclass(frozen=True, kw_only=True)
class Fit(DataOptions):
    """Fit the logistic models, rules and thresholds of the quality gate to the released network, with their metrics."""

    negatives: tuple[Path, ...] = ()
    """Folders of photographs that show no retina."""

    def run(self) -> int:
        from ml.training.quality.dataset import load_quality_set
        from ml.training.quality.export import release_fit
        from ml.training.quality.negatives import negative_set

        photos = load_quality_set(self.data, RUN.parent / "cache")
        release_fit(photos, negatives=negative_set(self.negatives, data=self.data))
        return 0


@dataclass(frozen=True, kw_only=True)
class FitColors(DataOptions):
    """Fit the model of retinal colours, and print what it refuses and misses on people not fitted on."""

    write: bool = False
    """Store the model in ml/serving/quality/colors.json."""

    def run(self) -> int:
        from ml.training.quality.false_colors import fit_colors, read_examples, report, store_colors

        examples = read_examples(self.data)
        model = fit_colors(examples)
        print(report(model, examples))
        if self.write:
            store_colors(model)
        return 0


@dataclass(frozen=True, kw_only=True)
class Gates(DataOptions):
    """Count good photographs that are refused as two eyes, false colours, another field or a page."""

    every: int = 1
    """Use every n-th photograph."""

    def run(self) -> int:
        from ml.training.quality.gate_counts import gate_table

        print(gate_table(self.data, every=self.every))
        return 0


@dataclass(frozen=True, kw_only=True)
class Card:
    """Write the card of the quality gate into the documentation."""

    def run(self) -> int:
        from ml.release.quality_card import QUALITY_CARD, card_text

        QUALITY_CARD.write_text(card_text())
        print(QUALITY_CARD)
        return 0
