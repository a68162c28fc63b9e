"""A finished network blended with what it started from."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from ml.cli.main import main
from ml.errors import InputError
from ml.training.checkpoints import BEST, BLENDED, load_trained, read_state
from ml.training.config import read_config, write_config
from ml.training.provenance import stages_of
from ml.training.train import train
from ml.training.weight_averaging import START_SHARES, blend, mean_of, mixed
from tests.ml.toys import toy_config, write_toy_data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_data(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def runs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A first run, and one that started from it."""
    folder = tmp_path_factory.mktemp("runs")
    first = train(toy_config(n_epochs=1), data=data, imagenet=None, run=folder / "first").parent
    second = toy_config(n_epochs=1, seed=2, start=str(first))
    return first, train(second, data=data, imagenet=None, run=folder / "second").parent


def test_between_two_networks_lies_their_weighted_mean() -> None:
    trained = {"weight": torch.tensor([1.0, 2.0]), "n": torch.tensor(7)}
    start = {"weight": torch.tensor([3.0, 6.0]), "n": torch.tensor(1)}
    assert mixed(trained, start, 0.0)["weight"].tolist() == [1, 2]
    assert mixed(trained, start, 0.25)["weight"].tolist() == [1.5, 3]
    assert mixed(trained, start, 1.0)["weight"].tolist() == [3, 6]
    assert mixed(trained, start, 0.5)["n"] == 7


def test_the_share_that_validates_best_is_taken_and_kept_in_the_run(runs: tuple[Path, Path], data: Path) -> None:
    first, second = runs
    table = blend(second, data=data)
    rows = json.loads((second / "blend.json").read_text())["trials"]
    best = max(rows, key=lambda row: row["score"])["start_share"]
    assert [row["start_share"] for row in rows] == list(START_SHARES)
    assert read_config(second).start_share == best
    assert f"| {best} (taken) |" in table
    expected = mixed(read_state(second / BEST), read_state(first / BEST), best)
    assert all(torch.equal(value, expected[name]) for name, value in read_state(second / BLENDED).items())


def test_training_that_goes_on_forgets_the_blend(runs: tuple[Path, Path], data: Path) -> None:
    _, second = runs
    best = read_state(second / BEST)
    blend(second, data=data, share=0.5)
    blended = load_trained(second)[0].state_dict()
    assert not all(torch.equal(value, best[name]) for name, value in blended.items())
    again = dataclasses.replace(read_config(second), start_share=0.0)
    train(again, data=data, imagenet=None, run=second, resume=True)  # its epochs are over: nothing is left to train
    assert all(torch.equal(value, best[name]) for name, value in load_trained(second)[0].state_dict().items())


def test_blending_again_begins_from_the_trained_weights_again(runs: tuple[Path, Path], data: Path) -> None:
    first, second = runs
    assert main(["blend", str(second), "--share", "0.6", "--data", str(data)]) == 0
    assert main(["blend", str(second), "--share", "0.4", "--data", str(data)]) == 0
    assert read_config(second).start_share == 0.4
    expected = mixed(read_state(second / BEST), read_state(first / BEST), 0.4)
    assert all(torch.equal(value, expected[name]) for name, value in read_state(second / BLENDED).items())


def test_the_mean_of_several_networks_is_taken_weight_by_weight() -> None:
    first = {"weight": torch.tensor([1.0, 2.0]), "n": torch.tensor(7)}
    second = {"weight": torch.tensor([3.0, 6.0]), "n": torch.tensor(1)}
    mean = mean_of([first, second])
    assert mean["weight"].tolist() == [2, 4]
    assert mean["n"] == 7


@pytest.fixture(scope="module")
def third(runs: tuple[Path, Path], data: Path) -> Path:
    """Another run from the same start as the second."""
    first, second = runs
    config = toy_config(n_epochs=1, seed=3, start=str(first))
    return train(config, data=data, imagenet=None, run=second.parent / "third").parent


def test_runs_of_one_start_are_blended_together_and_told_of(runs: tuple[Path, Path], third: Path, data: Path) -> None:
    _, second = runs
    blend(third, data=data, share=0.5)  # a blend of its own, which is not used
    assert main(["blend", str(second), "--with", str(third), "--share", "0", "--data", str(data)]) == 0
    expected = mean_of([read_state(second / BEST), read_state(third / BEST)])
    found = load_trained(second)[0].state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in found.items())
    (told,) = stages_of(second)[-1]["blended_with"]
    assert (told["run"], told["seed"], told["start_share"]) == ("runs/third", 3, 0.0)
    assert str(second.parent) not in json.dumps(stages_of(second))
    blend(second, data=data, share=0.5)
    assert stages_of(second)[-1]["blended_with"] == []


def test_what_was_blended_is_told_as_it_was_then(runs: tuple[Path, Path], third: Path, data: Path) -> None:
    _, second = runs
    blend(second, data=data, share=0.5, further=(third,))
    before = stages_of(second)
    write_config(dataclasses.replace(read_config(third), learning_rate=7.0), third)
    assert stages_of(second) == before


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"start": "runs/elsewhere"}, "another start"),
        ({"sources": ("aptos2019",)}, "another sources"),
        ({"side_px": 96}, "another side_px"),
    ],
)
def test_weights_without_a_useful_mean_are_refused(
    changes: dict[str, Any], word: str, runs: tuple[Path, Path], data: Path, tmp_path: Path
) -> None:
    _, second = runs
    other = tmp_path / "other"
    shutil.copytree(second, other)
    write_config(dataclasses.replace(read_config(other), **changes), other)
    with pytest.raises(InputError, match=word):
        blend(second, data=data, further=(other,))


def test_no_run_is_blended_twice(runs: tuple[Path, Path], third: Path, data: Path) -> None:
    for further in [(runs[1],), (third, third)]:
        with pytest.raises(InputError, match="the same name"):
            blend(runs[1], data=data, further=further)


@pytest.mark.parametrize(
    ("share", "which", "words"),
    [("1.5", 1, "lies between 0 and 1"), ("0.5", 0, "did not start from a trained network")],
)
def test_what_cannot_be_blended_is_told_in_a_sentence(
    share: str, which: int, words: str, runs: tuple[Path, Path], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["blend", str(runs[which]), "--share", share, "--data", str(data)]) == 2
    assert words in capsys.readouterr().err


def test_the_share_of_the_start_is_no_option_of_training(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--start-share", "0.5"])
    assert "--start-share" in capsys.readouterr().err
