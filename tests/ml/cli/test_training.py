"""``python -m ml train`` and ``distill`` as a user meets them: they teach, stop when told, and say what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from ml.cli.main import main
from ml.networks.architectures import build
from ml.training.checkpoints import save_atomically
from ml.training.config import write_config
from ml.training.train import train
from tests.ml.toys import toy_config, write_toy_data

TOY = [
    *("--network", "tiny", "--sources", "aptos2019", "eyepacs", "--side-px", "64", "--cache-side-px", "64"),
    *("--batch", "12", "--n-threads", "1", "--learning-rate", "0.01", "--rare-grade-power", "0"),
]


@pytest.fixture(scope="module")
def toy_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_data(tmp_path_factory.mktemp("toy"))


def rows_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def worst_kappa(row: dict[str, Any]) -> float:
    return min(float(figures["kappa"]) for figures in row["validation"].values())


def test_sixty_photographs_teach_a_network_to_grade(toy_data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main(["train", *TOY, "--n-epochs", "40", "--data", str(toy_data), "--run", str(run)]) == 0
    kappas = [worst_kappa(row) for row in rows_of(run)]
    best = max(rows_of(run), key=lambda row: row["score"])
    assert kappas[0] < 0.2
    assert worst_kappa(best) > kappas[0] + 0.4


def test_training_stops_where_patience_ends_and_says_so(toy_data: Path, tmp_path: Path) -> None:
    still = toy_config(n_epochs=30, learning_rate=0.0, patience=2)
    train(still, data=toy_data, imagenet=None, run=tmp_path / "run")
    assert len(rows_of(tmp_path / "run")) < 30
    assert [row["is_best"] for row in rows_of(tmp_path / "run")][-2:] == [False, False]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "--loss", "huber"], "Unknown loss 'huber'. Known: cross_entropy, emd, sord."),
        (["train", "--network", "vgg"], "Unknown architecture 'vgg'."),
        (["train", "--start", "nowhere"], "nowhere is not a run: config.json is missing."),
        (["train", "--network", "mobilenet_v3_small", "--imagenet", "no.npz"], "The ImageNet weights no.npz cannot"),
        (["train", "--batch", "1000"], "do not fill one batch of 1000."),
        (["train", "--batch", "12", "--n-shards", "5"], "A batch of 12 in 5 shards cannot be divided"),
        (["train", "--data", "nowhere"], "is not a folder"),
        (["distill", "--teacher", "nowhere"], "nowhere is not a run: config.json is missing."),
        (["distill", "--teacher", "nowhere", "--kind", "loud"], "kind 'loud' is not one of soft, decoupled."),
        (["export", "nowhere", "--version", "1"], "nowhere is not a run: config.json is missing."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_settings_that_cannot_be_used_are_told_in_a_sentence(
    arguments: list[str],
    says: str,
    toy_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    command, *changes = arguments
    usual = [] if command == "export" else [*TOY, "--run", "runs/x"]
    data = [] if "--data" in changes else ["--data", str(toy_data)]
    assert main([command, *usual, *data, *changes]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert says in error
    assert Path("runs/cache").exists() == ("batch" in says), "photographs were cropped before it was told"


def test_a_start_of_another_architecture_is_refused(toy_data: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    write_config(toy_config(architecture="mobilenet_v3_small"), tmp_path / "other")
    save_atomically(build("mobilenet_v3_small").state_dict(), tmp_path / "other" / "best.pt")
    with pytest.raises(ValueError, match="does not hold a tiny"):
        train(toy_config(start=str(tmp_path / "other")), data=toy_data, imagenet=None, run=tmp_path / "run")


def test_a_compiled_network_learns_the_same_as_one_as_written(toy_data: Path, tmp_path: Path) -> None:
    runs = [tmp_path / name for name in ("written", "compiled")]
    for run, backend in zip(runs, ("", "aot_eager"), strict=True):
        train(toy_config(n_epochs=1, compile_backend=backend), data=toy_data, imagenet=None, run=run)
    first, second = (torch.load(run / "best.pt", weights_only=True) for run in runs)
    assert all(torch.allclose(first[name].float(), second[name].float(), atol=1e-4) for name in first)
