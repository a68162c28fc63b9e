"""The commands that reproduce a bundle, from its recorded training history."""

import dataclasses
import shlex
from typing import Any

from ml.bundle import Bundle
from ml.training.config import Distillation, TrainingConfig

ALWAYS_SHOWN = {"image_size", "cache_size", "epochs", "batch_size", "learning_rate", "weight_decay", "seed", "threads"}
SHOWN_ELSEWHERE = {"init_from", "alpha", "distillation", "teachers"}
NOT_SHOWN = {"checkpoint_seconds"}  # without effect on the result
MAX_LINE_LENGTH = 116


def commands(bundle: Bundle) -> list[str]:
    """Commands of each stage of training, of the export and of the evaluation, as shell lines."""
    stages = bundle.training["stages"]
    lines: list[list[str]] = []
    for stage in stages:
        lines.append(_training_command(stage))
        if stage.get("alpha"):
            lines.append(["average", stage["run"], _option("alpha", stage["alpha"])])
    export = ["export", stages[-1]["run"], _option("name", bundle.name), _option("version", bundle.version)]
    if bundle.image_size != stages[-1]["image_size"]:
        export.append(_option("image_size", bundle.image_size))
    lines += [export, ["evaluate", f"ml/bundles/{bundle.name}-{bundle.version}"]]
    return [_shell_line(line) for line in lines]


def _shell_line(arguments: list[str]) -> str:
    """One command, continued on further lines if it is long."""
    lines = ["python -m ml"]
    for argument in arguments:
        if len(lines[-1]) + len(argument) > MAX_LINE_LENGTH:
            lines.append("   ")
        lines[-1] += f" {argument}"
    return " \\\n".join(lines)


def _training_command(stage: dict[str, Any]) -> list[str]:
    start = _option("init_from", stage["init_from"]) if stage["init_from"] else _option("imagenet", "imagenet.npz")
    options = [_option("output", stage["run"]), start, *_options(stage, TrainingConfig(), always=ALWAYS_SHOWN)]
    distillation = stage.get("distillation")
    if not distillation:
        return ["train", *options]
    teachers = tuple(distillation["teachers"])
    return [
        "distill",
        *options,
        _option("teachers", teachers),
        *_options(distillation, Distillation(teachers=teachers)),
    ]


def _options(
    values: dict[str, Any], default: TrainingConfig | Distillation, *, always: set[str] | None = None
) -> list[str]:
    """Command line options of the values that differ from their default, and of those in ``always``."""
    options = []
    for field in dataclasses.fields(default):
        name, usual = field.name, getattr(default, field.name)
        value = values.get(name, usual)
        value = tuple(value) if isinstance(value, list) else value
        if name not in SHOWN_ELSEWHERE | NOT_SHOWN and (value != usual or name in (always or ())):
            options.append(_option(name, value))
    return options


def _option(name: str, value: Any) -> str:
    option = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{option}" if value else f"--no-{option}"
    return shlex.join([f"--{option}", *map(str, value if isinstance(value, tuple) else (value,))])
