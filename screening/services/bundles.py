"""Bundles of models that this installation has: those of the release, of its settings, and registered ones."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from ml.bundle import BUNDLES, Bundle, read_bundle
from ml.errors import BundleError
from ml.vocabulary import ServedModel
from screening.models import RegisteredBundle
from screening.services import inference

CARD_FILE = "model-card.md"
MAX_CARD_BYTES = 1_000_000
MAX_NAME = 80


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
    if settings.MODELS_DIR:
        others += [registered_folder(row).resolve() for row in RegisteredBundle.objects.order_by("created_at", "id")]
    folders = [*served, *(folder for folder in others if folder not in served)]
    return [_installed(folder, served.get(folder, ())) for folder in folders]


def find_bundle(model_version: str) -> InstalledBundle | None:
    """The installed bundle with this version of a model; None if there is none."""
    found = (one for one in list_bundles() if one.bundle is not None and one.bundle.model_version == model_version)
    return next(found, None)


def registered_folder(bundle: RegisteredBundle) -> Path:
    """Where a registered bundle lies."""
    return Path(settings.MODELS_DIR) / bundle.folder_name


def folders_to_register() -> dict[str, Path]:
    """Folders of MODELS_DIR with a bundle that is not registered, by name."""
    if not settings.MODELS_DIR:
        return {}
    known = set(RegisteredBundle.objects.values_list("folder_name", flat=True))
    found = sorted(path.parent for path in Path(settings.MODELS_DIR).glob("*/bundle.json"))
    return {folder.name: folder for folder in found if folder.name not in known and len(folder.name) <= MAX_NAME}


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
