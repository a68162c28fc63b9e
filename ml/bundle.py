"""A bundle: a folder that holds everything needed to grade, bound together by hashes.

``weights.safetensors`` holds the weights, ``model.onnx`` the graph that refers to them, ``bundle.json`` the hashes of
both, how to use them and how accurate they are, and ``model-card.md`` the same as text.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ml.errors import BundleError
from ml.serving.preprocess import PREPROCESSING_VERSION
from ml.vocabulary import N_GRADES

BUNDLES = Path(__file__).parent / "bundles"
GRAPH_FILE = "model.onnx"
WEIGHTS_FILE = "weights.safetensors"
EVALUATION_FILE = "evaluation.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What bundle.json says. ``operating_point`` is the P(grade >= 2) from which an eye is called referable.

    Calibrated probabilities are softmax(logits / ``temperature`` + ``bias``); the grade is how many of
    the ``grade_cuts`` the mean grade reaches (without cuts: the most probable one); ``heatmap_full_scale`` is the
    Grad-CAM evidence shown at full strength.
    """

    folder: Path
    name: str
    version: str
    architecture: str
    side_px: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    preprocessing_version: int
    temperature: float
    bias: tuple[float, ...]
    grade_cuts: tuple[float, ...]
    operating_point: float
    heatmap_full_scale: float
    graph_sha256: str
    weights_sha256: str
    training: dict[str, Any]
    metrics: dict[str, Any]

    @property
    def model_version(self) -> str:
        """Name, version and hash prefix: what is stored with every grading."""
        return f"{self.name}-{self.version}+{self.weights_sha256[:8]}"

    @property
    def graph(self) -> Path:
        return self.folder / GRAPH_FILE

    @property
    def weights(self) -> Path:
        return self.folder / WEIGHTS_FILE

    @classmethod
    def from_json(cls, folder: Path, content: dict[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError for content that is not a bundle's."""
        bundle = cls(
            folder=folder,
            name=str(content["name"]),
            version=str(content["version"]),
            architecture=str(content["architecture"]),
            side_px=int(content["input"]["side_px"]),
            mean=tuple(map(float, content["input"]["mean"])),  # type: ignore[arg-type]
            std=tuple(map(float, content["input"]["std"])),  # type: ignore[arg-type]
            preprocessing_version=int(content["input"]["preprocessing_version"]),
            temperature=float(content["calibration"]["temperature"]),
            bias=tuple(map(float, content["calibration"]["bias"])),
            grade_cuts=tuple(map(float, content["grade_cuts"])),
            operating_point=float(content["operating_point"]),
            heatmap_full_scale=float(content["heatmap_full_scale"]),
            graph_sha256=str(content["graph"]["sha256"]),
            weights_sha256=str(content["weights"]["sha256"]),
            training=dict(content["training"]),
            metrics=dict(content["metrics"]),
        )
        bundle._check(content["classes"])
        return bundle

    def _check(self, classes: list[str]) -> None:
        if len(classes) != N_GRADES or len(self.bias) != N_GRADES:
            raise ValueError(f"it has {len(classes)} classes instead of {N_GRADES}")
        if len(self.mean) != 3 or len(self.std) != 3 or not all(self.std):
            raise ValueError("its mean and standard deviation are not three numbers each")
        if self.grade_cuts and (
            len(self.grade_cuts) != N_GRADES - 1 or list(self.grade_cuts) != sorted(self.grade_cuts)
        ):
            raise ValueError("its grade cuts are not four rising numbers")
        if not (0 < self.operating_point < 1 and self.temperature > 0 and self.heatmap_full_scale > 0):
            raise ValueError("its operating point, temperature or heatmap scale is out of range")


def default_bundle() -> Path:
    """The released bundle that grades unless a setting names another one. Raises BundleError where none is released."""
    pointer = BUNDLES / "default.txt"
    if not pointer.exists():
        raise BundleError(f"No released bundle: {pointer} is missing. Restore the repository's ml/bundles folder.")
    return BUNDLES / pointer.read_text().strip()


def read_bundle(folder: Path | None = None, *, verify: bool = False) -> Bundle:
    """What the bundle in ``folder`` (default: the released one) says of itself; ``verify`` also hashes the weights.

    Raises BundleError for a folder that is missing, incomplete, altered, or made for other preprocessing.
    """
    folder = default_bundle() if folder is None else folder
    description = folder / "bundle.json"
    if not description.is_file():
        raise BundleError(f"{folder} is not a bundle: bundle.json is missing.")
    try:
        bundle = Bundle.from_json(folder, json.loads(description.read_text()))
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{description} cannot be used: {error}. Restore the bundle from its release.") from error
    if bundle.preprocessing_version != PREPROCESSING_VERSION:
        raise BundleError(
            f"{folder} was trained with preprocessing version {bundle.preprocessing_version}; this software has "
            f"version {PREPROCESSING_VERSION}. Use the bundle released with it."
        )
    for file in (bundle.graph, bundle.weights):
        if not file.is_file():
            raise BundleError(f"{folder} is incomplete: {file.name} is missing. Restore the bundle from its release.")
    if verify:
        verified_files(bundle)
    return bundle


def verified_files(bundle: Bundle) -> tuple[bytes, bytes]:
    """The content of graph and weights, after the SHA-256 of both was checked. Raises BundleError if one differs."""
    return _verified(bundle.graph, bundle.graph_sha256), _verified(bundle.weights, bundle.weights_sha256)


def _verified(file: Path, sha256: str) -> bytes:
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BundleError(
            f"{file} was altered: its SHA-256 is not the one in bundle.json. Restore the bundle from its release; "
            "nothing is graded with unknown weights."
        )
    return content


def read_evaluation(bundle: Bundle) -> dict[str, Any]:
    """What evaluation.json says. Raises BundleError where it is missing, or of another version or threshold."""
    path = bundle.folder / EVALUATION_FILE
    if not path.is_file():
        raise BundleError(f"{path} is missing: python -m ml evaluate {bundle.folder} writes it.")
    evaluation: dict[str, Any] = json.loads(path.read_text())
    stated = tuple(evaluation[name] for name in ("model_version", "weights_sha256", "operating_point"))
    if stated != (bundle.model_version, bundle.weights_sha256, bundle.operating_point):
        raise BundleError(
            f"{path} measured another version, other weights or another operating point: evaluate the bundle again."
        )
    return evaluation
