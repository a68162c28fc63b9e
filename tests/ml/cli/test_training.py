"""``python -m ml train``, ``distill``, ``average``: what they print, and which settings they refuse."""

from pathlib import Path

import pytest

from ml.cli.main import main

TOY = [
    *("--architecture", "tiny", "--sources", "aptos2019", "eyepacs", "--image-size", "48", "--cache-size", "64"),
    *("--batch-size", "12", "--threads", "1", "--epochs", "1"),
]


def test_the_commands_train_distil_and_average(
    toy_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    common = [*TOY, "--data", str(toy_data)]
    assert main(["train", *common, "--output", str(first)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(first / "best.safetensors")
    assert main(["distill", *common, "--output", str(second), "--teachers", str(first), "--init-from", str(first)]) == 0
    assert main(["average", str(second), "--alpha", "0.4", "--data", str(toy_data)]) == 0
    assert "| 0.4 (chosen) |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--loss", "huber"], "Unknown loss 'huber'. Known: cross_entropy, sord."),
        (["train", "--architecture", "vgg"], "Unknown architecture 'vgg'."),
        (["train", "--init-from", "nowhere"], "nowhere is not a run: config.json is missing."),
        (["train", "--architecture", "mobilenet_v3_small", "--imagenet", "no.npz"], "no.npz cannot be read"),
        (["train", "--batch-size", "1000"], "do not fill one batch of 1000."),
        (["train", "--data", "nowhere"], "is not a folder"),
        (["distill", "--teachers", "nowhere"], "nowhere is not a run: config.json is missing."),
        (["average", "nowhere"], "nowhere is not a run: config.json is missing."),
        (["export", "nowhere", "--version", "1"], "nowhere is not a run: config.json is missing."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_it_refuses_settings_in_one_sentence(
    arguments: list[str],
    message: str,
    toy_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    command, *changes = arguments
    usual = [*TOY, "--output", "runs/x"] if command in {"train", "distill"} else []
    data = [] if "--data" in changes else ["--data", str(toy_data)]
    assert main([command, *usual, *data, *changes]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error
    assert Path("runs/cache").exists() == ("batch" in message), "photographs were cropped before the refusal"
