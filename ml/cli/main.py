"""Command line of the grading system: ``python -m ml COMMAND``, with ``--help`` after each command."""

import argparse
import os
import sys
from pathlib import Path
from typing import TypeAlias

from ml.bundle import read_bundle
from ml.cli import evaluation as evaluation_commands
from ml.errors import BundleError, GradingError, InputError
from ml.training.config import Distillation, TrainingConfig, add_options, chosen_options


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_grade(commands)
    _add_prepare(commands)
    _add_train(commands)
    _add_distill(commands)
    _add_average(commands)
    _add_export(commands)
    _add_benchmark(commands)
    evaluation_commands.add_commands(commands, _add_data)
    options = parser.parse_args(arguments)
    try:
        code: int = options.run_command(options)
    except (BundleError, InputError, GradingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"ml", "drsite", "screening"}:
            raise  # ours: a mistake of this software, and no missing package
        needs = f"{options.command} needs {error.name}, which serving does without"
        print(f"error: {needs}. Install what training needs: pip install -r requirements/train.txt", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


def _add_grade(commands: Commands) -> None:
    parser = commands.add_parser("grade", help="grade photographs or folders of them")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--heatmap", type=Path, metavar="DIR", help="write each photograph with its heatmap here")
    parser.add_argument("--even-if-ungradable", action="store_true", help="give a grade to poor photographs too")
    parser.add_argument("--bundle", type=Path, help="another bundle than the released one")
    parser.add_argument("--threads", type=int, default=1, help="threads of one forward pass (1)")
    parser.set_defaults(run_command=_grade)


def _grade(options: argparse.Namespace) -> int:
    from ml.cli.grade import as_json, as_text, find_photos, grade_files
    from ml.grader import Grader

    photos = find_photos(options.paths)
    if not photos:
        print("error: no photographs there", file=sys.stderr)
        return 1
    grader = Grader.load(options.bundle, threads=options.threads)
    n_failed = 0
    results = grade_files(grader, photos, heatmaps=options.heatmap, even_if_ungradable=options.even_if_ungradable)
    for photo, result in results:
        n_failed += isinstance(result, str)
        print(as_json(photo, result) if options.json else as_text(photo, result), flush=True)
    return 1 if n_failed else 0


def _add_prepare(commands: Commands) -> None:
    parser = commands.add_parser("prepare", help="read, crop, cache and examine data sets of any known layout")
    _add_data(parser)
    parser.add_argument("--sources", nargs="+", help="folders below --data (the usual ones, else all that are known)")
    parser.add_argument("--side-px", type=int, default=256, help="side of the cropped squares (256)")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where the arrays go (runs/cache)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that crop (all processors)")
    parser.add_argument("--show", type=Path, metavar="FILE.png", help="draw a contact sheet of the augmentation")
    parser.set_defaults(run_command=_prepare)


def _prepare(options: argparse.Namespace) -> int:
    from ml.data.preparation import prepare_data

    places = {"cache": options.cache, "show": options.show, "side_px": options.side_px}
    print(prepare_data(options.data, sources=options.sources, n_workers=options.workers, **places))
    return 0


def _add_train(commands: Commands) -> None:
    parser = commands.add_parser("train", help="train a network")
    parser.add_argument("--run", type=Path, default=Path("runs/student"), help="folder of the run (runs/student)")
    _add_training(parser)
    parser.set_defaults(run_command=_train)


def _add_training(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    parser.add_argument("--imagenet", help=".npz with ImageNet weights under torchvision's names, or: torchvision")
    parser.add_argument("--resume", action="store_true", help="go on at the step of the last checkpoint")
    parser.add_argument("--network", dest="architecture", default=argparse.SUPPRESS, help="same as --architecture")
    add_options(parser, TrainingConfig)


def _train(options: argparse.Namespace) -> int:
    from ml.training.train import train

    config = TrainingConfig(**chosen_options(options, TrainingConfig))
    print(train(config, data=options.data, imagenet=options.imagenet, run=options.run, resume=options.resume))
    return 0


def _add_distill(commands: Commands) -> None:
    parser = commands.add_parser("distill", help="train a student with a teacher")
    parser.add_argument("--run", type=Path, required=True, help="folder of the student's run")
    _add_training(parser)
    add_options(parser, Distillation)
    parser.set_defaults(run_command=_distill)


def _distill(options: argparse.Namespace) -> int:
    from ml.training.distillation import distill

    how = Distillation(**chosen_options(options, Distillation))
    config = TrainingConfig(**chosen_options(options, TrainingConfig), distillation=how)
    print(distill(config, data=options.data, imagenet=options.imagenet, run=options.run, resume=options.resume))
    return 0


def _add_average(commands: Commands) -> None:
    parser = commands.add_parser("average", help="interpolate a run's weights with its starting weights (WiSE-FT)")
    parser.add_argument("run", type=Path)
    parser.add_argument("--alpha", type=float, help="weight of the starting weights, 0 to 1 (the best on validation)")
    _add_data(parser)
    parser.set_defaults(run_command=_average)


def _average(options: argparse.Namespace) -> int:
    from ml.training.weight_averaging import average

    print(average(options.run, data=options.data, alpha=options.alpha), end="")
    return 0


def _add_export(commands: Commands) -> None:
    parser = commands.add_parser("export", help="turn a finished run into a bundle")
    parser.add_argument("run", type=Path)
    _add_data(parser)
    parser.add_argument("--name", default="student")
    parser.add_argument("--version", required=True)
    parser.add_argument("--precision", default="fp32", choices=("fp32", "fp16", "int8"), help="of the stored weights")
    parser.add_argument("--side-px", type=int, help="side of the network's input when it serves (as it was trained)")
    parser.add_argument("--to", type=Path, help="folder of the bundle (ml/bundles/NAME-VERSION)")
    parser.set_defaults(run_command=_export)


def _export(options: argparse.Namespace) -> int:
    from ml.bundle import BUNDLES
    from ml.networks.weight_format import WeightFormat
    from ml.release.export import export_bundle

    folder = options.to or BUNDLES / f"{options.name}-{options.version}"
    bundle = export_bundle(
        options.run,
        data=options.data,
        folder=folder,
        name=options.name,
        version=options.version,
        precision=WeightFormat(options.precision),
        side_px=options.side_px,
    )
    print(f"{bundle.model_version} in {folder}")
    return 0


def _add_benchmark(commands: Commands) -> None:
    parser = commands.add_parser("benchmark", help="start-up, memory and speed, beside the plain pipeline")
    parser.add_argument("photos", nargs="*", type=Path, help="photographs (the samples of --data)")
    _add_data(parser)
    parser.add_argument("--bundle", type=Path)
    parser.set_defaults(run_command=_benchmark)


def _benchmark(options: argparse.Namespace) -> int:
    from ml.evaluation.benchmark import benchmark

    photos = options.photos or sorted((options.data / "samples").glob("IDRiD_*.jpg"))
    if not photos:
        print("error: name photographs to measure with, or --data with a samples folder", file=sys.stderr)
        return 1
    print(benchmark(read_bundle(options.bundle), photos))
    return 0


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("DR_DATA_DIR", "../shared/data")),
        help="folder of the data sets (DR_DATA_DIR, else ../shared/data)",
    )
