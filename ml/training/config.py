"""What a run depends on but the photographs: saved with the run, overridable from the command line."""

import argparse
import dataclasses
import json
import types
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ml.errors import InputError

Config = TypeVar("Config")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distillation:
    """How a student learns from a teacher."""

    teacher: str
    """Folder of a finished run or of a bundle."""
    further_teachers: tuple[str, ...] = ()
    """More such folders, whose logits count as much as the teacher's own; features to match are the teacher's alone."""
    ask_in_bf16: bool = False
    """Teachers compute in bf16 though the student trains in full precision: on many processors the fastest for both."""
    kind: str = "soft"
    """soft: divergence from the teacher's softened chances (Hinton et al. 2015); decoupled: Zhao et al., CVPR 2022."""
    weight: float = 0.7
    """Of the whole loss, the share of the teacher's; the rest is the loss of the labels."""
    temperature: float = 2.0
    """Logits of both are divided by it; 1 leaves the teacher's chances as they are."""
    target_share: float = 1.0
    """decoupled: weight of "the label or another grade", alpha in the paper."""
    others_share: float = 2.0
    """decoupled: weight of "which other grade", beta in the paper."""
    features: str = "none"
    """none; pooled: regression on the teacher's pooled features through a linear layer (FitNets, Romero et al. 2015);
    attention: maps of where the activation is (Zagoruyko & Komodakis 2017), with the views "same" alone."""
    features_weight: float = 1.0
    views: str = "same"
    """same: the teacher sees the student's very picture at its own side; cached: its logits are averaged once over
    fixed views of every photograph and kept, and only the student's view varies."""
    keep_words: bool = False
    """same: what was said is kept beside the runs, and read where a run with the same seed shows the same pictures."""
    n_views: int = 2
    """cached: 1 the plain photograph, 2 also its mirror image, up to 8 also quarter turns."""
    unlabelled: tuple[str, ...] = ()
    """Folders below the data's with photographs without a grade, such as eyeq: the teacher's word alone counts."""
    unlabelled_share: float = 0.25
    """Unlabelled photographs in a batch for one with a label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """Everything a run depends on but the photographs. Saved with the run and in the bundle."""

    architecture: str = "mobilenet_v3_small"
    sources: tuple[str, ...] = ("aptos2019", "eyepacs", "odir5k", "eyepacs_equalized")
    side_px: int = 224
    cache_side_px: int = 256
    n_epochs: int = 16
    batch: int = 32
    """Photographs in a step, over all processes together."""
    learning_rate: float = 6e-4
    weight_decay: float = 0.02
    loss: str = "sord"
    """Of the labels: sord, cross_entropy or emd; see ml/losses.py."""
    ordinal_sharpness: float = 2.0
    """sord: how fast a grade's share falls with the squared distance to the label."""
    label_smoothing: float = 0.05
    """cross_entropy and emd: the share that is spread over all grades."""
    ema_decay: float = 0.998
    rare_grade_power: float = 0.5
    clip_norm: float = 2.0
    use_bf16: bool = False
    compile_backend: str = ""
    """A torch.compile backend, such as inductor; empty: as written."""
    n_threads: int = 2
    seed: int = 1
    frozen: tuple[str, ...] = ()
    """Modules that keep their starting weights and statistics, such as ("conv1", "bn1", "layer1"): a third faster."""
    equalised_share: float = 0.0
    """Of the photographs, the share shown with equalised channels, so that the equalised set teaches the others."""
    painted_share: float = 0.0
    """Of the healthy photographs in a batch, the share on which lesions are painted; the label is then theirs."""
    start: str = ""
    """Folder of a finished run or of a bundle whose weights this run starts from, such as for a larger input."""
    start_share: float = dataclasses.field(default=0.0, metadata={"is_option": False})
    """Of the finished weights, the share of those that the run started from: set by ml/blend.py, not by training."""
    blended_with: tuple[str, ...] = dataclasses.field(default=(), metadata={"is_option": False})
    """Names of further runs whose weights are in the finished ones: set by ml/blend.py, which keeps their settings."""
    patience: int = 0
    """Epochs without a better validation score after which the run stops; 0: never."""
    n_shards: int = 1
    """Parts of a batch that draw their random numbers apart. N processes take at least N; one process with as many
    sees the same photographs changed in the same way."""
    checkpoint_seconds: float = 600.0
    """Time between two checkpoints within an epoch."""
    distillation: Distillation | None = None


def read_config(run: Path) -> TrainingConfig:
    """The configuration a run was started with; fields that it did not know yet have their defaults.

    Raises InputError for a folder that is no run's, and for one of a newer version of this software.
    """
    path = run / "config.json"
    if not path.is_file():
        raise InputError(f"{run} is not a run: config.json is missing.")
    values = json.loads(path.read_text())
    if values.get("distillation") is not None:
        values["distillation"] = _from_json(Distillation, values["distillation"], path)
    return _from_json(TrainingConfig, values, path)


def write_config(config: TrainingConfig, run: Path) -> None:
    """Save the configuration in the folder of its run, which is made where it is missing."""
    run.mkdir(parents=True, exist_ok=True)
    (run / "config.json").write_text(json.dumps(dataclasses.asdict(config), indent=1))


def _from_json(kind: type[Config], values: dict[str, Any], path: Path) -> Config:
    try:
        return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
    except TypeError as error:
        raise InputError(f"{path} is not a configuration of this version: {error}") from error


def add_options(parser: argparse.ArgumentParser, kind: type[Any]) -> None:
    """Add an option for each field of a configuration: --n-epochs 4, --use-bf16 or --no-use-bf16, --frozen conv1."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        hint, name = hints[field.name], f"--{field.name.replace('_', '-')}"
        is_option = field.metadata.get("is_option", True)
        if not is_option or isinstance(hint, types.UnionType):  # the latter is a configuration with options of its own
            continue
        known = {"dest": field.name, "default": argparse.SUPPRESS}
        shown = "" if field.default is dataclasses.MISSING else f"({field.default})"
        if hint is bool:
            parser.add_argument(name, action=argparse.BooleanOptionalAction, help=shown, **known)  # type: ignore[arg-type]
        elif typing.get_origin(hint) is tuple:
            kind_of_each = typing.get_args(hint)[0]
            parser.add_argument(name, nargs="*", type=kind_of_each, metavar="NAME", help=shown, **known)  # type: ignore[arg-type]
        else:
            is_required = field.default is dataclasses.MISSING
            parser.add_argument(name, type=hint, required=is_required, help=shown, **known)


def chosen_options(options: argparse.Namespace, kind: type[Any]) -> dict[str, Any]:
    """The fields of a configuration that were given on the command line."""
    given = vars(options)
    names = [field.name for field in dataclasses.fields(kind) if field.name in given]
    return {name: tuple(given[name]) if isinstance(given[name], list) else given[name] for name in names}
