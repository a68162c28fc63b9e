"""The commands of the quality gate: ``python -m ml quality train | export | fit-rules | fit-colors | gates | card``."""

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
        train_quality(config, photos, imagenet=self.imagenet, run=self.output, resume=self.resume)
        return 0


@dataclass(frozen=True, kw_only=True)
class Export(DataOptions):
    """Export the quality network of a finished run into ml/serving/quality, with its metrics."""

    folder: Annotated[Positional[Path], arg(metavar="RUN")] = RUN
    """Folder of the run."""

    def run(self) -> int:
        from ml.training.config import read_config
        from ml.training.quality.dataset import load_quality_set
        from ml.training.quality.export import release
        from ml.training.quality.train import load_quality_net

        photos = load_quality_set(self.data, self.folder.parent / "cache")
        release(load_quality_net(self.folder), photos, read_config(self.folder))
        return 0


@dataclass(frozen=True, kw_only=True)
class FitRules(DataOptions):
    """Fit the logistic models and rules of the quality gate; print their metrics on held-out patients."""

    negatives: tuple[Path, ...] = ()
    """Folders of photographs that show no retina."""
    write: bool = False
    """Store the result in network.json; export the quality network again afterwards."""

    def run(self) -> int:
        from ml.release.quality_card import metrics_tables
        from ml.training.quality.export import release_rules

        cache = RUN.parent / "cache"
        for metrics in release_rules(self.data, cache, negatives=self.negatives, write=self.write):
            print(*metrics_tables(metrics).values(), sep="\n")
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
