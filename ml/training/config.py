"""Configuration of training runs: saved with a run, and set by command line options."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import tyro

from ml.data.labels import DEFAULT_SOURCES
from ml.errors import InputError

Config = TypeVar("Config")
Value = TypeVar("Value")
NoOption = Annotated[Value, tyro.conf.Fixed, tyro.conf.Suppress]
"""A field that the command line does not set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distillation:
    """Knowledge distillation: a student is trained on the outputs of teachers."""

    teachers: tuple[str, ...]
    """Folders of finished runs or bundles; the logits of several teachers are averaged."""
    teacher_bf16: bool = False
    """Run the teachers in bfloat16, even if the student trains in float32."""
    distill_loss_weight: float = 0.7
    """Weight of the distillation loss, 0 to 1; the loss on the labels has the rest."""
    temperature: float = 2.0
    """Both logits are divided by it; 1 leaves the teacher's probabilities unchanged."""
    unlabelled: tuple[str, ...] = ()
    """Folders below the data folder with photographs without a grade, such as eyeq."""
    unlabelled_fraction: float = 0.25
    """Unlabelled photographs in a batch per labelled photograph."""

    def __post_init__(self) -> None:
        """Raises InputError for values that cannot be used."""
        if not self.teachers:
            raise InputError("Name a teacher: the configuration has none.")
        if not (0 <= self.distill_loss_weight <= 1 and self.temperature > 0):
            raise InputError("The weight of the distillation loss lies between 0 and 1, and the temperature above 0.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """Configuration of a training run, except the photographs; saved with the run and in the bundle."""

    architecture: str = "mobilenet_v3_small"
    """Network architecture: mobilenet_v3_small, resnet50, resnet50_v1_5 or tiny."""
    sources: tuple[str, ...] = DEFAULT_SOURCES
    """Folders of the data sets below the data folder."""
    image_size: int = 224
    """Side of the network's square input, in pixels."""
    cache_size: int = 256
    """Side of the cached fundus crops, in pixels."""
    epochs: int = 16
    """Maximum number of epochs."""
    batch_size: int = 32
    """Photographs per optimiser step."""
    learning_rate: float = 6e-4
    """Maximum of the one-cycle learning rate schedule."""
    weight_decay: float = 0.02
    """Weight decay of AdamW."""
    loss: str = "sord"
    """Loss on the labels: sord (soft ordinal labels) or cross_entropy (smoothed)."""
    sord_alpha: float = 2.0
    """sord: how fast a grade's target probability falls with the squared distance to the label."""
    oedema_loss_weight: float = 0.5
    """Weight of the cross-entropy of macular oedema, which is added to the loss on the grades."""
    label_smoothing: float = 0.05
    """cross_entropy: probability that is spread evenly over all grades."""
    ema_decay: float = 0.998
    """Decay of the exponential moving average of the weights."""
    class_balance_power: float = 0.5
    """Photographs are sampled in proportion to (frequency of their grade) ** -power."""
    clip_norm: float = 2.0
    """Maximum norm of the gradient."""
    bf16: bool = False
    """Train with bfloat16 autocast."""
    threads: int = 2
    """Threads of PyTorch on the CPU."""
    seed: int = 1
    """Seed of all random numbers."""
    freeze: tuple[str, ...] = ()
    """Modules that keep their weights and batch statistics, such as conv1 bn1 layer1."""
    equalize_prob: float = 0.0
    """Probability that the channels of a photograph are histogram-equalised."""
    init_from: str = ""
    """Folder of a finished run or bundle with the starting weights; empty: ImageNet or random weights."""
    alpha: NoOption[float] = 0.0
    """Weight of the starting weights in the interpolated result; set by weight averaging."""
    patience: int = 0
    """Epochs without a better validation score after which training stops; 0: never."""
    checkpoint_seconds: float = 600.0
    """Time between two checkpoints within an epoch, in seconds."""
    distillation: NoOption[Distillation | None] = None
    """Distillation from teachers; none: training on the labels alone."""


def read_config(run: Path) -> TrainingConfig:
    """Read the configuration of a run. Raises InputError for a folder without one, or with unknown fields."""
    path = run / "config.json"
    if not path.is_file():
        raise InputError(f"{run} is not a run: config.json is missing.")
    values = json.loads(path.read_text())
    if values.get("distillation") is not None:
        values["distillation"] = _from_json(Distillation, values["distillation"], path)
    return _from_json(TrainingConfig, values, path)


def write_config(config: TrainingConfig, run: Path) -> None:
    """Save the configuration in the folder of its run, which is created if it is missing."""
    run.mkdir(parents=True, exist_ok=True)
    (run / "config.json").write_text(json.dumps(dataclasses.asdict(config), indent=1))


def _from_json(kind: type[Config], values: dict[str, Any], path: Path) -> Config:
    try:
        return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
    except TypeError as error:
        raise InputError(f"{path} is not a configuration of this version: {error}") from error
