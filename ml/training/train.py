"""Train a grading network: ``python -m ml train --data ../shared/data --imagenet mobilenet_v3_small-imagenet.npz``.

One run is one folder: config.json, log.jsonl (a line an epoch), curves.png and report.md, last.pt (resumable at its
step), best.pt (averaged weights). Several processes: ml/processes.py.
"""

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from ml.data.cache import FundusDataset, load_dataset
from ml.data.splits import TRAIN
from ml.errors import InputError
from ml.networks.architectures import architecture_for, build
from ml.training.batches import changed, generator, load_images, normalize
from ml.training.checkpoints import BEST, LAST, load_trained, read_state, save_atomically
from ml.training.config import TrainingConfig, write_config
from ml.training.distributed import join, leave
from ml.training.losses import label_loss
from ml.training.run_report import write_report
from ml.training.trainer import Trainer

if TYPE_CHECKING:
    from torch import Tensor

N_MEASURED = 256
"""Photographs on which the statistics of a bundle's batch norms are measured anew."""


def train(
    config: TrainingConfig,
    *,
    data: Path,
    imagenet: Path | str | None,
    run: Path,
    resume: bool = False,
    begin: Callable[..., Trainer] = Trainer,
) -> Path:
    """Train to the end and return the file with the best averaged weights. Resumes at the last checkpoint's step.

    ``begin`` makes the training of configuration, photographs, network and processes: another than plain training.
    Raises InputError for settings, labels, weights or runs that cannot be used, as far as possible at once.
    """
    processes = join()
    try:
        torch.set_num_threads(config.threads)
        config = dataclasses.replace(config, architecture=architecture_for(config.architecture, imagenet))
        validate_config(config, imagenet=imagenet)
        if processes.is_first:
            write_config(config, run)
            load_run_data(config, data=data, cache=run.parent / "cache")  # before the others look for the cache
        processes.told_by_first(None)
        retinas = load_run_data(config, data=data, cache=run.parent / "cache")
        torch.manual_seed(config.seed)
        network = starting_network(config, retinas, imagenet=imagenet)
        training = begin(config, retinas, network, processes=processes)
        if resume and (run / LAST).exists():
            training.load_state(read_state(run / LAST))
        run_to_end(training, run)
    finally:
        leave(processes)
    return run / BEST


def validate_config(config: TrainingConfig, *, imagenet: Path | str | None) -> None:
    """Raise InputError or BundleError for what could only fail later, after minutes of cropping photographs."""
    label_loss(config.loss)
    expected = build(config.architecture, imagenet=imagenet).state_dict()
    if not config.init_from:
        return
    given = load_trained(Path(config.init_from))[0].state_dict()
    if {k: v.shape for k, v in given.items()} != {k: v.shape for k, v in expected.items()}:
        raise InputError(f"{config.init_from} does not hold a {config.architecture}.")


def load_run_data(config: TrainingConfig, *, data: Path, cache: Path) -> FundusDataset:
    """The cropped photographs of the run's sources."""
    return load_dataset([data / source for source in config.sources], side_px=config.cache_size, cache=cache)


def starting_network(config: TrainingConfig, retinas: FundusDataset, *, imagenet: Path | str | None) -> nn.Module:
    """The network a run begins with: from another run or a bundle, from ImageNet, or random."""
    if not config.init_from:
        return build(config.architecture, imagenet=imagenet)
    network, _ = load_trained(Path(config.init_from), photos=lambda side_px: _measured(config, retinas, side_px))
    return network


def _measured(config: TrainingConfig, retinas: FundusDataset, side_px: int) -> "Tensor":
    """[n, 3, S, S] normalised training photographs, changed as in training."""
    random = generator(config.seed)
    indices = retinas.where(TRAIN)
    chosen = indices[torch.randperm(len(indices), generator=random)[:N_MEASURED].numpy()]
    parts = [
        changed(load_images(retinas, rows), side_px=side_px, equalised_share=config.equalize_prob, random=random)
        for rows in np.array_split(chosen, max(1, len(chosen) // 32))
    ]
    return normalize(torch.cat(parts))


def run_to_end(training: Trainer, run: Path) -> None:
    """Step by step until it is over; process 0 writes checkpoints, log and report."""
    processes, config = training.processes, training.config
    saved_at = time.monotonic()
    while not training.is_over:
        done = training.step % training.n_steps
        bar = tqdm(
            total=training.n_steps,
            initial=done,
            desc=f"epoch {training.epoch + 1}",
            unit="batch",
            mininterval=5,
            disable=not processes.is_first,
        )
        for _ in range(done, training.n_steps):
            training.run_step()
            bar.update()
            is_due = time.monotonic() - saved_at >= config.checkpoint_seconds
            if processes.is_first and is_due and training.step % training.n_steps:
                save_atomically(training.state(), run / LAST)
                saved_at = time.monotonic()
        bar.close()
        if processes.is_first:
            _close_epoch(training, run)
            saved_at = time.monotonic()
        training.n_since_best = processes.told_by_first(training.n_since_best)


def _close_epoch(training: Trainer, run: Path) -> None:
    """Validate, and leave everything that an epoch leaves; last.pt at the end, for a kill between repeats the epoch."""
    row = training.finish_epoch()
    if training.is_best:
        save_atomically(training.average.state_dict(), run / BEST)
    rows = "".join(json.dumps(line) + "\n" for line in training.history)
    (run / "log.partial").write_text(rows)
    (run / "log.partial").replace(run / "log.jsonl")
    write_report(training.config, training.history, run)
    save_atomically(training.state(), run / LAST)
    tqdm.write(json.dumps(row))
