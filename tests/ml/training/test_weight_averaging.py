"""Weights between those of a finished run and those that it started from."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ml.errors import InputError
from ml.training.checkpoints import AVERAGED, BEST, load_trained
from ml.training.config import read_config
from ml.training.train import train
from ml.training.weight_averaging import ALPHAS, average, interpolate


def assert_equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_interpolation_is_the_weighted_mean_and_keeps_whole_numbers() -> None:
    trained = {"weight": torch.tensor([1.0, 2.0]), "n": torch.tensor(7)}
    start = {"weight": torch.tensor([3.0, 6.0]), "n": torch.tensor(1)}
    for alpha, expected in ((0.0, [1, 2]), (0.25, [1.5, 3]), (1.0, [3, 6])):
        assert interpolate(trained, start, alpha)["weight"].tolist() == expected
    assert interpolate(trained, start, 0.5)["n"] == 7


def test_the_alpha_with_the_best_validation_score_is_chosen(first_run: Path, second_run: Path, toy_data: Path) -> None:
    table = average(second_run, data=toy_data)
    rows = json.loads((second_run / "average.json").read_text())
    best = max(rows, key=lambda row: row["score"])["alpha"]
    assert [row["alpha"] for row in rows] == list(ALPHAS)
    assert read_config(second_run).alpha == best
    assert f"| {best} (chosen) |" in table
    expected = interpolate(load_file(second_run / BEST), load_file(first_run / BEST), best)
    assert_equal(load_file(second_run / AVERAGED), expected)


def test_averaging_again_starts_from_the_trained_weights(first_run: Path, second_run: Path, toy_data: Path) -> None:
    for alpha in (0.6, 0.4):
        average(second_run, data=toy_data, alpha=alpha)
        assert read_config(second_run).alpha == alpha
        expected = interpolate(load_file(second_run / BEST), load_file(first_run / BEST), alpha)
        assert_equal(load_trained(second_run).network.state_dict(), expected)


def test_further_training_discards_the_average(second_run: Path, toy_data: Path) -> None:
    average(second_run, data=toy_data, alpha=0.5)
    resumed = dataclasses.replace(read_config(second_run), alpha=0.0)
    train(resumed, data=toy_data, imagenet=None, run=second_run, resume=True)  # no epoch is left
    assert_equal(load_trained(second_run).network.state_dict(), load_file(second_run / BEST))


def test_it_refuses_what_cannot_be_averaged(first_run: Path, second_run: Path, toy_data: Path) -> None:
    with pytest.raises(InputError, match="lies between 0 and 1"):
        average(second_run, data=toy_data, alpha=1.5)
    with pytest.raises(InputError, match="did not start from a trained network"):
        average(first_run, data=toy_data)
