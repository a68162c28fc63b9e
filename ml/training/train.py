"""Train or distil a grading network: ``python -m ml train --data data --imagenet mobilenet_v3_small-imagenet.npz``.

A run is a folder: config.json, log.jsonl (a line per epoch), curves.png and report.md, last.pt (the state to resume
from), best.safetensors (averaged weights of the best epoch).
"""

import dataclasses
from pathlib import Path

import torch
from torch import nn

from ml.errors import InputError
from ml.networks.architectures import N_OUTPUTS, architecture_for, build, set_outputs
from ml.training.checkpoints import BEST, load_trained
from ml.training.config import TrainingConfig, write_config
from ml.training.distillation import DistillationLoss, load_teachers
from ml.training.losses import SupervisedLoss
from ml.training.run_data import RunData
from ml.training.trainer import Trainer, fit


def train(config: TrainingConfig, *, data: Path, imagenet: Path | str | None, run: Path, resume: bool = False) -> Path:
    """Train to the end and return the file with the best averaged weights; resumes at the step of the last checkpoint.

    Raises InputError or BundleError for settings, labels, weights or runs that cannot be used, if possible before
    photographs are cropped.
    """
    torch.set_num_threads(config.threads)
    torch.backends.cudnn.benchmark = True  # on a GPU, measure which convolution is the fastest
    config = dataclasses.replace(config, architecture=architecture_for(config.architecture, imagenet))
    torch.manual_seed(config.seed)
    loss = SupervisedLoss(config)
    if settings := config.distillation:
        teacher = load_teachers(settings.teachers, bf16=config.bf16 or settings.teacher_bf16)
        loss = DistillationLoss(config, settings, teacher)
    network = initial_network(config, imagenet=imagenet)
    write_config(config, run)
    run_data = RunData.load(config, data=data, cache=run.parent / "cache", image_size=loss.image_size)
    fit(Trainer(config, network, run_data, loss), run, resume=resume)
    return run / BEST


def initial_network(config: TrainingConfig, *, imagenet: Path | str | None) -> nn.Module:
    """The network with its starting weights: from a run or a bundle, from ImageNet, or random."""
    if not config.init_from:
        return build(config.architecture, imagenet=imagenet)
    network, architecture, _ = load_trained(Path(config.init_from))
    if architecture != config.architecture:
        raise InputError(f"{config.init_from} does not hold a {config.architecture}.")
    set_outputs(network, N_OUTPUTS)  # an earlier bundle has grades only
    return network
