"""The commands of the laterality network: ``python -m ml laterality train | export | card``."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ml.cli.options import DataOptions, RunOptions

RUN = Path("runs/laterality")


@dataclass(frozen=True, kw_only=True)
class Train(RunOptions):
    """Train the laterality network, which recognises the right and the left eye."""

    output: Path = RUN
    """Folder of the run; the cache of views lies beside it."""
    epochs: int = 30
    """Number of epochs."""
    seed: int = 1
    """Seed of all random numbers."""

    def run(self) -> int:
        from ml.training.laterality.dataset import load_laterality_set
        from ml.training.laterality.train import CONFIG, train_laterality

        photos = load_laterality_set(self.data, self.output.parent / "cache")
        config = dataclasses.replace(CONFIG, epochs=self.epochs, seed=self.seed)
        train_laterality(config, photos, run=self.output, resume=self.resume)
        return 0


@dataclass(frozen=True, kw_only=True)
class Export(DataOptions):
    """Export the laterality network of a finished run into ml/serving/laterality, with its metrics."""

    folder: Annotated[Positional[Path], arg(metavar="RUN")] = RUN
    """Folder of the run."""

    def run(self) -> int:
        from ml.training.config import read_config
        from ml.training.laterality.dataset import load_laterality_set
        from ml.training.laterality.export import release
        from ml.training.laterality.train import load_laterality_net

        photos = load_laterality_set(self.data, self.folder.parent / "cache")
        release(load_laterality_net(self.folder), photos, read_config(self.folder))
        return 0


@dataclass(frozen=True, kw_only=True)
class Card:
    """Write the card of the laterality network into the documentation."""

    def run(self) -> int:
        from ml.release.laterality_card import LATERALITY_CARD, card_text

        LATERALITY_CARD.write_text(card_text())
        print(LATERALITY_CARD)
        return 0
