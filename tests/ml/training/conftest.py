"""Fixtures of the tests of training: one data set, and runs that share one cache of fundus crops."""

import dataclasses
from pathlib import Path

import pytest

from ml.training.train import train
from tests.ml.toys import toy_config


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of all runs of the session."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def first_run(runs: Path, toy_data: Path) -> Path:
    """A finished run of two epochs."""
    return train(toy_config(), data=toy_data, imagenet=None, run=runs / "first").parent


@pytest.fixture(scope="session")
def second_run(first_run: Path, toy_data: Path) -> Path:
    """A finished run that started from the first one."""
    config = dataclasses.replace(toy_config(epochs=1, seed=2), init_from=str(first_run))
    return train(config, data=toy_data, imagenet=None, run=first_run.parent / "second").parent
