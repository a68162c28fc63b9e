"""Options that several commands share."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

BUNDLE_HELP = "Folder of a bundle, or its name in ml/bundles; that of the fast model if none."
BundleOption = Annotated[Path | None, arg(metavar="BUNDLE", help=BUNDLE_HELP)]
BundleArgument = Annotated[Positional[Path | None], arg(metavar="[BUNDLE]", help=BUNDLE_HELP)]
OptionalPath = Annotated[Path | None, arg(metavar="PATH")]


def data_dir() -> Path:
    """DR_DATA_DIR if it is set, else ``data``."""
    return Path(os.environ.get("DR_DATA_DIR") or "data")


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """The folder of the data sets."""

    data: Annotated[Path, arg(metavar="DIR")] = field(default_factory=data_dir)
    """Folder of the data sets; DR_DATA_DIR if it is set."""


@dataclass(frozen=True, kw_only=True)
class CacheOptions(DataOptions):
    """The folders of the data sets and of their crops."""

    cache: Annotated[Path, arg(metavar="DIR")] = Path("runs/cache")
    """Folder of the cached fundus crops."""


@dataclass(frozen=True, kw_only=True)
class RunOptions(DataOptions):
    """A training run."""

    output: Path
    """Folder of the run; the cache of crops lies beside it."""
    resume: bool = False
    """Continue at the step of the last checkpoint."""
