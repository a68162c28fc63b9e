"""Bundles of models that this installation has: those of the release, and those that its settings name."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from ml.bundle import BUNDLES, Bundle, read_bundle
from ml.errors import BundleError
from ml.vocabulary import ServedModel
from screening.services import inference

CARD_FILE = "model-card.md"
MAX_CARD_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class InstalledBundle:
    """A bundle and the models that it is served as; ``problem`` says why one cannot be used, and then it has none."""

    folder: Path
    bundle: Bundle | None
    problem: str
    served_as: tuple[ServedModel, ...]


def list_bundles() -> list[InstalledBundle]:
    """All bundles, those that are served first. Reads their descriptions, and no weights."""
    served: dict[Path, tuple[ServedModel, ...]] = {}
    for model in settings.GRADING_MODELS:
        folder = inference.folder_of(model).resolve()
        served[folder] = (*served.get(folder, ()), model)
    others = sorted(path.parent.resolve() for path in BUNDLES.glob("*/bundle.json"))
    folders = [*served, *(folder for folder in others if folder not in served)]
    return [_installed(folder, served.get(folder, ())) for folder in folders]


def find_bundle(model_version: str) -> InstalledBundle | None:
    """The installed bundle with this version of a model; None if there is none."""
    found = (one for one in list_bundles() if one.bundle is not None and one.bundle.model_version == model_version)
    return next(found, None)


def read_card(bundle: Bundle) -> str:
    """The text of the model card; empty without one, or for one of more than MAX_CARD_BYTES."""
    file = bundle.folder / CARD_FILE
    if not file.is_file() or file.stat().st_size > MAX_CARD_BYTES:
        return ""
    return file.read_text(errors="replace")


def _installed(folder: Path, served_as: tuple[ServedModel, ...]) -> InstalledBundle:
    try:
        return InstalledBundle(folder, read_bundle(folder), "", served_as)
    except (BundleError, OSError) as error:
        return InstalledBundle(folder, None, str(error), served_as)
