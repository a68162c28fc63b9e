"""The command line lists its commands, and answers wrong input with one sentence."""

import re
from unittest.mock import Mock

import pytest

from ml.cli import grade
from ml.cli.main import COMMANDS, main
from ml.cli.renamed import OPTIONS


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_help_with_its_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([*command.split(), "--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: python -m ml {command} ")
    assert not OPTIONS.keys() & set(text.split())


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["--help"], 0), (["quality"], 2), (["quality", "-h"], 0)])
def test_it_lists_the_commands(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == code
    text = capsys.readouterr().out
    assert re.search(r"  quality card +Write the card of the quality gate", text)
    assert ("  grade " in text) is (arguments[:1] != ["quality"])


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("foo", "There is no command foo: python -m ml --help lists all."),
        ("blend runs/a", "The command blend is now average."),
        ("table --left-out x", "The command table is now results (with --left-out: external)."),
        ("train --n-epochs 3", "The option --n-epochs is now --epochs."),
        ("distill --teacher=a --run b", "The option --teacher is now --teachers."),
        ("prepare --side-px 3", "The option --side-px is now --image-size (of prepare: --cache-size)."),
        ("grade x --heatmap y", "The option --heatmap is now --output."),
        ("quality train --n-epochs 1", "The option --n-epochs is now --epochs."),
        ("grade", "Name photographs or folders of them."),
        ("external", "Name at least one bundle."),
        ("pointing-game", "Name a folder, or --synthetic N."),
        ("pointing-game masks --synthetic 3", "Name a folder, or --synthetic N."),
        ("benchmark --data nowhere", "Name photographs to measure with, or --data with a samples folder."),
    ],
)
def test_wrong_input_is_answered_with_a_sentence(
    command: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command.split()) == 2
    output = capsys.readouterr()
    assert output.err == f"error: {message}\n"
    assert output.out == ""


@pytest.mark.parametrize(
    "command", ["grade x --foo", "train --epochs many", "train --alpha 0.5", "export runs/x", "promote"]
)
def test_an_unknown_or_missing_option_is_an_error(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(command.split())
    assert stopped.value.code == 2
    output = capsys.readouterr()
    assert f"python -m ml {command.split(maxsplit=1)[0]} --help" in output.err
    assert output.out == ""


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        (ModuleNotFoundError(name="torch.nn"), 2, "error: grade needs torch.nn, which is not part of serving."),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_a_missing_package_and_an_interruption_have_their_exit_codes(
    raised: BaseException,
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(grade, "find_files", Mock(side_effect=raised))
    assert main(["grade", "x"]) == code
    assert capsys.readouterr().err.startswith(message)


def test_a_missing_module_of_this_software_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grade, "find_files", Mock(side_effect=ModuleNotFoundError(name="ml.grade")))
    with pytest.raises(ModuleNotFoundError):
        main(["grade", "x"])
