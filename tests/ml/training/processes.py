"""Training in child processes, forked from a server process that imports PyTorch once."""

import multiprocessing
import os
import signal
from pathlib import Path

from ml.training.config import TrainingConfig
from ml.training.train import train
from ml.training.trainer import Trainer

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])


def start_training(
    config: TrainingConfig, *, data: Path, run: Path, kill_at: int | None = None, environ: dict[str, str] | None = None
) -> multiprocessing.process.BaseProcess:
    """Start a run in a child process, which kills itself before the step ``kill_at``."""
    process = CONTEXT.Process(target=_train, args=(config, data, run, kill_at, environ or {}))
    process.start()
    return process


def _train(config: TrainingConfig, data: Path, run: Path, kill_at: int | None, environ: dict[str, str]) -> None:
    os.environ |= environ
    run_step = Trainer.run_step

    def run_step_or_die(trainer: Trainer) -> None:
        if trainer.step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        run_step(trainer)

    Trainer.run_step = run_step_or_die  # type: ignore[assignment, method-assign]  # in this child process only
    train(config, data=data, imagenet=None, run=run)
