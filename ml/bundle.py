"""A bundle: a folder that holds everything needed to grade, bound together by hashes.

``weights.safetensors`` holds the weights, ``model.onnx`` the graph that refers to them, ``bundle.json`` the hashes of
both, how to use them and how accurate they are, and ``model-card.md`` the same as text.
"""

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from ml.errors import BundleError
from ml.serving.preprocess import PREPROCESSING_VERSION
from ml.vocabulary import N_GRADES, ServedModel

BUNDLES = Path(__file__).parent / "bundles"
DEFAULTS_FILE = "defaults.json"
GRAPH_FILE = "model.onnx"
WEIGHTS_FILE = "weights.safetensors"
EVALUATION_FILE = "evaluation.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class OedemaOutput:
    """How to use the logit of referable macular oedema.

    Its probability is sigmoid(logit / ``temperature`` + ``bias``); from ``operating_point`` on oedema is suspected.
    ``heatmap_full_scale`` is the Grad-CAM value that is shown at full strength.
    """

    temperature: float
    bias: float
    operating_point: float
    heatmap_full_scale: float

    @classmethod
    def from_json(cls, content: dict[str, float] | None) -> Self | None:
        """None for a bundle without this output. Raises KeyError, TypeError or ValueError for other content."""
        if content is None:
            return None
        output = cls(**{field.name: float(content[field.name]) for field in fields(cls)})
        if not (0 < output.operating_point < 1 and output.temperature > 0 and output.heatmap_full_scale > 0):
            raise ValueError("its operating point, temperature or heatmap scale of macular oedema is out of range")
        return output


Interval = tuple[float | None, float | None, float | None]
"""A value with its 95 % interval; None if it is undefined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRoc:
    """Sensitivity and specificity for referable retinopathy on one source, at each threshold of a RocTable."""

    n_referable: int
    n_not_referable: int
    sensitivity: tuple[Interval, ...]
    specificity: tuple[Interval, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RocTable:
    """Points of the ROC curve by source, measured on validation with cross-fitted probabilities.

    ``thresholds`` of P(grade >= 2) ascend; the bundle's operating point is one of them.
    """

    thresholds: tuple[float, ...]
    sources: dict[str, SourceRoc]

    @classmethod
    def from_json(cls, content: dict[str, Any] | None) -> Self | None:
        """None for a bundle without a table. Raises KeyError, TypeError or ValueError for other content."""
        if content is None:
            return None
        thresholds = tuple(float(value) for value in content["thresholds"])
        sources = {name: _source_roc(values, len(thresholds)) for name, values in content["sources"].items()}
        if list(thresholds) != sorted(set(thresholds)) or not all(0 < value < 1 for value in thresholds):
            raise ValueError("the thresholds of its ROC table do not ascend within 0 to 1")
        return cls(thresholds=thresholds, sources=sources)


def _source_roc(content: dict[str, Any], n_thresholds: int) -> SourceRoc:
    roc = SourceRoc(
        n_referable=int(content["n_referable"]),
        n_not_referable=int(content["n_not_referable"]),
        sensitivity=tuple(_interval(values) for values in content["sensitivity"]),
        specificity=tuple(_interval(values) for values in content["specificity"]),
    )
    if not len(roc.sensitivity) == len(roc.specificity) == n_thresholds:
        raise ValueError("its ROC table has not one value for each threshold")
    return roc


def _interval(values: list[float | None]) -> Interval:
    value, low, high = (None if each is None else float(each) for each in values)
    return value, low, high


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The content of bundle.json.

    Calibrated probabilities are softmax(logits / ``temperature`` + ``bias``). The grade is the number of ``cutpoints``
    that the expected grade reaches; without cutpoints, the most probable grade. An eye is referable if P(grade >= 2)
    is at least ``operating_point``. ``image_size`` is the side of the input in pixels, ``heatmap_full_scale`` the
    Grad-CAM value that is shown at full strength. ``oedema`` is None if the network has grades only.
    """

    folder: Path
    name: str
    version: str
    architecture: str
    image_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    preprocessing_version: int
    temperature: float
    bias: tuple[float, ...]
    cutpoints: tuple[float, ...]
    operating_point: float
    heatmap_full_scale: float
    oedema: OedemaOutput | None
    graph_sha256: str
    weights_sha256: str
    training: dict[str, Any]
    metrics: dict[str, Any]
    roc: RocTable | None = None

    @property
    def model_version(self) -> str:
        """Name, version and hash prefix of the weights: stored with every grading."""
        return f"{self.name}-{self.version}+{self.weights_sha256[:8]}"

    @property
    def served_model(self) -> ServedModel:
        """Which of the two served models it can become: a MobileNet the fast one, another network the accurate one."""
        return ServedModel.FAST if self.architecture.startswith("mobilenet") else ServedModel.ACCURATE

    @property
    def trained_on(self) -> list[str]:
        """The sources of all stages of its training, in the order of their names."""
        return sorted({str(source) for stage in self.training.get("stages", []) for source in stage["sources"]})

    @property
    def memory_bytes(self) -> int:
        """Estimate of the memory that a process needs for it.

        A line through two measurements with ONNX Runtime 1.32: 46 MB for weights of 3.2 MB in fp16 (MobileNetV3-Small),
        328 MB for 47.4 MB (ResNet-50), both at 384 pixels.
        """
        return int(6.5 * self.weights.stat().st_size + 30e6)

    @property
    def n_outputs(self) -> int:
        """Number of logits of the network."""
        return N_GRADES + (self.oedema is not None)

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
            image_size=int(content["input"]["image_size"]),
            mean=_three_numbers(content["input"]["mean"]),
            std=_three_numbers(content["input"]["std"]),
            preprocessing_version=int(content["input"]["preprocessing_version"]),
            temperature=float(content["calibration"]["temperature"]),
            bias=tuple(map(float, content["calibration"]["bias"])),
            cutpoints=tuple(map(float, content["cutpoints"])),
            operating_point=float(content["operating_point"]),
            heatmap_full_scale=float(content["heatmap_full_scale"]),
            oedema=OedemaOutput.from_json(content.get("macular_oedema")),
            graph_sha256=str(content["graph"]["sha256"]),
            weights_sha256=str(content["weights"]["sha256"]),
            training=dict(content["training"]),
            metrics=dict(content["metrics"]),
            roc=RocTable.from_json(content.get("roc")),
        )
        bundle._check(content["classes"])
        return bundle

    def _check(self, classes: list[str]) -> None:
        if len(classes) != N_GRADES or len(self.bias) != N_GRADES:
            raise ValueError(f"it has {len(classes)} classes instead of {N_GRADES}")
        if not all(self.std):
            raise ValueError("its standard deviation is 0")
        if self.cutpoints and (len(self.cutpoints) != N_GRADES - 1 or list(self.cutpoints) != sorted(self.cutpoints)):
            raise ValueError("its cutpoints are not four ascending numbers")
        if not (0 < self.operating_point < 1 and self.temperature > 0 and self.heatmap_full_scale > 0):
            raise ValueError("its operating point, temperature or heatmap scale is out of range")


def _three_numbers(values: list[Any]) -> tuple[float, float, float]:
    red, green, blue = map(float, values)
    return red, green, blue


def default_bundles(folder: Path = BUNDLES) -> dict[ServedModel, Path]:
    """Folder of the bundle of each served model. Raises BundleError if defaults.json is missing or incomplete."""
    file = folder / DEFAULTS_FILE
    try:
        names = json.loads(file.read_text())
        return {model: folder / str(names[model]) for model in ServedModel}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise BundleError(
            f"{file} does not name a bundle of each model ({', '.join(ServedModel)}). Restore the repository's "
            "ml/bundles folder."
        ) from error


def default_bundle(model: ServedModel = ServedModel.FAST) -> Path:
    """Folder of the bundle of a served model. Raises as ``default_bundles`` does."""
    return default_bundles()[model]


def set_default_bundle(bundle: Bundle) -> None:
    """Make a bundle the default of its model, in defaults.json beside it. Raises as ``default_bundles`` does."""
    folder = bundle.folder.resolve().parent
    names = {model.value: path.name for model, path in default_bundles(folder).items()}
    names[bundle.served_model.value] = bundle.folder.name
    (folder / DEFAULTS_FILE).write_text(json.dumps(names) + "\n")


def read_bundle(folder: Path | None = None, *, verify: bool = False) -> Bundle:
    """Read the description of a bundle: a folder, or a name in ml/bundles; None is the default of the fast model.

    ``verify`` also checks its hashes. Raises BundleError for a folder that is missing, incomplete, altered, or made for
    other preprocessing.
    """
    if folder is None:
        folder = default_bundle()
    elif not folder.is_dir() and len(folder.parts) == 1:
        folder = BUNDLES / folder
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
    """Read evaluation.json. Raises BundleError if it is missing, or of another version or operating point."""
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
