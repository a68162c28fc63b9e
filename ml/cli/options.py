"""Options that several commands share."""

import os
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg


def data_dir() -> Path:
    """DR_DATA_DIR if it is set, else ``data``."""
    return Path(os.environ.get("DR_DATA_DIR") or "data")


DataDir = Annotated[Path, arg(metavar="DIR", help="Folder of the data sets; DR_DATA_DIR if it is set.")]
CacheDir = Annotated[Path, arg(metavar="DIR", help="Folder of the cached fundus crops.")]
BundleName = Annotated[Path, arg(metavar="BUNDLE", help="Folder of a bundle, or its name in ml/bundles.")]
DEFAULT_BUNDLE_HELP = "Folder of a bundle, or its name in ml/bundles; the default bundle if none."
BundleOption = Annotated[Path | None, arg(metavar="BUNDLE", help=DEFAULT_BUNDLE_HELP)]
BundleArgument = Annotated[Positional[Path | None], arg(metavar="[BUNDLE]", help=DEFAULT_BUNDLE_HELP)]
OptionalPath = Annotated[Path | None, arg(metavar="PATH")]

DEFAULT_CACHE = Path("runs/cache")
