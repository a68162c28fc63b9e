"""Command line of the grading system: ``python -m ml COMMAND``, with ``--help`` after each command."""

import os
import sys
from importlib import import_module
from inspect import getdoc
from typing import Protocol

import tyro

from ml.cli.names import printable
from ml.cli.renamed import renaming
from ml.errors import BundleError, DecoderUnavailable, GradingError, InputError

PROGRAM = "python -m ml"
COMMANDS = {
    "grade": "ml.cli.grade.Grade",
    "prepare": "ml.cli.data.Prepare",
    "train": "ml.cli.training.Train",
    "distill": "ml.cli.training.Distill",
    "average": "ml.cli.training.Average",
    "export": "ml.cli.release.Export",
    "evaluate": "ml.cli.evaluation.Evaluate",
    "promote": "ml.cli.release.Promote",
    "card": "ml.cli.release.Card",
    "key": "ml.cli.signatures.Key",
    "sign": "ml.cli.signatures.Sign",
    "results": "ml.cli.release.Results",
    "external": "ml.cli.release.External",
    "site-threshold": "ml.cli.release.SiteThreshold",
    "pointing-game": "ml.cli.evaluation.PointingGame",
    "benchmark": "ml.cli.evaluation.Benchmark",
    "copies": "ml.cli.evaluation.Copies",
    "quality train": "ml.cli.quality.Train",
    "quality export": "ml.cli.quality.Export",
    "quality fit": "ml.cli.quality.Fit",
    "quality fit-colors": "ml.cli.quality.FitColors",
    "quality gates": "ml.cli.quality.Gates",
    "quality card": "ml.cli.quality.Card",
    "laterality train": "ml.cli.laterality.Train",
    "laterality export": "ml.cli.laterality.Export",
    "laterality card": "ml.cli.laterality.Card",
}
"""The class of each command. Its module is imported when the command runs, so that ``grade`` starts fast."""


class Command(Protocol):
    """Options of one command: the docstrings of class and fields are its help."""

    def run(self) -> int:
        """Run the command and return the exit code."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if "" in arguments:  # as a path it would be this folder
        return _error("One of the arguments is empty. Is a variable of the shell not set?")
    for length in (2, 1):  # of the name
        name, rest = " ".join(arguments[:length]), arguments[length:]
        if name in COMMANDS:
            sentence = renaming(name, rest)
            return _error(sentence) if sentence else _run(name, rest)
    return _list_commands(arguments)


def _run(name: str, arguments: list[str]) -> int:
    try:
        return _parse(name, arguments).run()
    except (BundleError, DecoderUnavailable, InputError, GradingError) as error:
        return _error(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"ml", "drsite", "screening"}:
            raise  # a mistake of this software, not a missing package
        needs = f"{name} needs {error.name}, which is not part of serving."
        return _error(f"{needs} Install what training needs: pip install -r requirements/train.txt")
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # the reader, such as `head`, has closed the pipe
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        return _error(f"{error.filename or 'A file'} cannot be used: {error.strerror or type(error).__name__}.")


def _load(name: str) -> type[Command]:
    module, _, class_name = COMMANDS[name].rpartition(".")
    command: type[Command] = getattr(import_module(module), class_name)
    return command


def _parse(name: str, arguments: list[str]) -> Command:
    """Raises SystemExit with code 2 for arguments that are wrong, with code 0 after ``--help``."""
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.AvoidSubcommands, tyro.conf.FlagCreatePairsOff)
    return tyro.cli(_load(name), prog=f"{PROGRAM} {name}", args=arguments, config=config)


def _list_commands(arguments: list[str]) -> int:
    """Print all commands, or those of a group; an error unless help is asked for."""
    first = next((argument for argument in arguments if not argument.startswith("-")), "")
    listed = [name for name in COMMANDS if not first or name.startswith(f"{first} ")]
    if not listed:
        return _error(renaming(first, []) or f"There is no command {first}: {PROGRAM} --help lists all.")
    width = max(map(len, listed))
    print(f"usage: {PROGRAM} COMMAND [OPTIONS], with --help after each command\n")
    for name in listed:
        summary = (getdoc(_load(name)) or "").partition("\n")[0]
        print(f"  {name:{width}}  {summary}")
    return 0 if {"-h", "--help"} & set(arguments) else 2


def _error(message: str) -> int:
    print(f"error: {printable(message)}", file=sys.stderr)
    return 2
