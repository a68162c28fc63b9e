"""``python -m ml train`` and ``distill`` as a user meets them: they teach, stop when told, and say what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from ml.cli.main import main
from ml.networks.architectures import build
from ml.training.checkpoints import save_atomically
from ml.training.config import write_config
from ml.training.train import train
from tests.ml.toys import toy_config, write_toy_data

TOY = [
    *("--architecture", "tiny", "--sources", "aptos2019", "eyepacs", "--image-size", "64", "--cache-size", "64"),
    *("--batch-size", "12", "--threads", "1", "--learning-rate", "0.01", "--class-balance-power", "0"),
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
    assert main(["train", *TOY, "--epochs", "40", "--data", str(toy_data), "--output", str(run)]) == 0
    kappas = [worst_kappa(row) for row in rows_of(run)]
    best = max(rows_of(run), key=lambda row: row["score"])
    assert kappas[0] < 0.2
    assert worst_kappa(best) > kappas[0] + 0.4


def test_training_stops_where_patience_ends_and_says_so(toy_data: Path, tmp_path: Path) -> None:
    still = toy_config(epochs=30, learning_rate=0.0, patience=2)
    train(still, data=toy_data, imagenet=None, run=tmp_path / "run")
    assert len(rows_of(tmp_path / "run")) < 30
    assert [row["is_best"] for row in rows_of(tmp_path / "run")][-2:] == [False, False]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "--loss", "huber"], "Unknown loss 'huber'. Known: cross_entropy, sord."),
        (["train", "--architecture", "vgg"], "Unknown architecture 'vgg'."),
        (["train", "--init-from", "nowhere"], "nowhere is not a run: config.json is missing."),
        (
            ["train", "--architecture", "mobilenet_v3_small", "--imagenet", "no.npz"],
            "no.npz cannot be read",
        ),
        (["train", "--batch-size", "1000"], "do not fill one batch of 1000."),
        (["train", "--batch-size", "12", "--n-shards", "5"], "A batch of 12 in 5 shards cannot be divided"),
        (["train", "--data", "nowhere"], "is not a folder"),
        (["distill", "--teachers", "nowhere"], "nowhere is not a run: config.json is missing."),
        (["distill", "--teachers", "nowhere", "--temperature", "0"], "the temperature above 0"),
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
    usual = [] if command == "export" else [*TOY, "--output", "runs/x"]
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
        train(toy_config(init_from=str(tmp_path / "other")), data=toy_data, imagenet=None, run=tmp_path / "run")
