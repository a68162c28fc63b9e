"""Weights between those of a finished run and those that it started from."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from ml.cli.main import main
from ml.training.checkpoints import AVERAGED, BEST, load_trained, read_state
from ml.training.config import read_config
from ml.training.train import train
from ml.training.weight_averaging import ALPHAS, average, interpolate
from tests.ml.toys import toy_config, write_toy_data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_data(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def runs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A first run, and one that started from it."""
    folder = tmp_path_factory.mktemp("runs")
    first = train(toy_config(epochs=1), data=data, imagenet=None, run=folder / "first").parent
    second = toy_config(epochs=1, seed=2, init_from=str(first))
    return first, train(second, data=data, imagenet=None, run=folder / "second").parent


def test_interpolation_is_the_weighted_mean_and_keeps_whole_numbers() -> None:
    trained = {"weight": torch.tensor([1.0, 2.0]), "n": torch.tensor(7)}
    start = {"weight": torch.tensor([3.0, 6.0]), "n": torch.tensor(1)}
    assert interpolate(trained, start, 0.0)["weight"].tolist() == [1, 2]
    assert interpolate(trained, start, 0.25)["weight"].tolist() == [1.5, 3]
    assert interpolate(trained, start, 1.0)["weight"].tolist() == [3, 6]
    assert interpolate(trained, start, 0.5)["n"] == 7


def test_the_alpha_with_the_best_validation_score_is_chosen(runs: tuple[Path, Path], data: Path) -> None:
    first, second = runs
    table = average(second, data=data)
    rows = json.loads((second / "average.json").read_text())
    best = max(rows, key=lambda row: row["score"])["alpha"]
    assert [row["alpha"] for row in rows] == list(ALPHAS)
    assert read_config(second).alpha == best
    assert f"| {best} (chosen) |" in table
    expected = interpolate(read_state(second / BEST), read_state(first / BEST), best)
    assert all(torch.equal(value, expected[name]) for name, value in read_state(second / AVERAGED).items())


def test_further_training_discards_the_average(runs: tuple[Path, Path], data: Path) -> None:
    _, second = runs
    best = read_state(second / BEST)
    average(second, data=data, alpha=0.5)
    averaged = load_trained(second)[0].state_dict()
    assert not all(torch.equal(value, best[name]) for name, value in averaged.items())
    again = dataclasses.replace(read_config(second), alpha=0.0)
    train(again, data=data, imagenet=None, run=second, resume=True)  # its epochs are over: nothing is left to train
    assert all(torch.equal(value, best[name]) for name, value in load_trained(second)[0].state_dict().items())


def test_averaging_again_starts_from_the_trained_weights(runs: tuple[Path, Path], data: Path) -> None:
    first, second = runs
    assert main(["average", str(second), "--alpha", "0.6", "--data", str(data)]) == 0
    assert main(["average", str(second), "--alpha", "0.4", "--data", str(data)]) == 0
    assert read_config(second).alpha == 0.4
    expected = interpolate(read_state(second / BEST), read_state(first / BEST), 0.4)
    assert all(torch.equal(value, expected[name]) for name, value in read_state(second / AVERAGED).items())


@pytest.mark.parametrize(
    ("alpha", "which", "message"),
    [("1.5", 1, "lies between 0 and 1"), ("0.5", 0, "did not start from a trained network")],
)
def test_it_refuses_what_cannot_be_averaged(
    alpha: str, which: int, message: str, runs: tuple[Path, Path], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["average", str(runs[which]), "--alpha", alpha, "--data", str(data)]) == 2
    assert message in capsys.readouterr().err


def test_alpha_is_not_an_option_of_training(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--alpha", "0.5"])
    assert "--alpha" in capsys.readouterr().err
