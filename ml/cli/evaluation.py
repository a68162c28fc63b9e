"""The commands that measure: ``python -m ml evaluate | promote | table | ...``. Imports are late on purpose."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ml.bundle import default_bundle, read_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001
    AddData = Callable[[argparse.ArgumentParser], None]

CACHE = Path("runs/cache")


def add_commands(commands: "Commands", add_data: "AddData") -> None:
    """Add them to the command line of ``python -m ml``."""
    _add_evaluate(commands, add_data)
    _add_promote(commands, add_data)
    _add_table(commands)
    _add_external(commands)
    _add_pointing(commands)


def _add_cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cache", type=Path, default=CACHE, help="where training keeps its crops (runs/cache)")


def _add_evaluate(commands: "Commands", add_data: "AddData") -> None:
    parser = commands.add_parser("evaluate", help="measure a bundle on photographs it was not trained on")
    parser.add_argument("bundle", nargs="?", type=Path, help="folder or name of the bundle (the released one)")
    parser.add_argument("--against", type=Path, metavar="OTHER", help="another bundle to test the differences against")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the report (runs/evaluation/BUNDLE)")
    _add_cache(parser)
    add_data(parser)
    parser.set_defaults(run_command=_evaluate)


def _evaluate(options: argparse.Namespace) -> int:
    from ml.evaluation.compare import compare, comparison_text
    from ml.evaluation.evaluate import evaluate, write_evaluation
    from ml.evaluation.predictions import predict
    from ml.grader import Grader
    from ml.release.model_card import write_card, write_cards
    from ml.release.promote import resolve_bundle, shared_test_set
    from ml.release.report import write_report

    bundle = resolve_bundle(options.bundle)
    evaluation, predictions = evaluate(bundle, data=options.data, cache=options.cache)
    write_evaluation(bundle.folder, evaluation)
    is_default = bundle.folder.resolve() == default_bundle().resolve()
    (write_cards if is_default else write_card)(bundle)
    comparison = ""
    if options.against:
        other = resolve_bundle(options.against)
        shared_test_set(bundle, other, data=options.data, cache=options.cache)
        others = predict(Grader.load(other.folder), predictions.photos)
        comparison = comparison_text(bundle, other, compare((bundle, predictions), (other, others)))
    out = options.out or Path("runs/evaluation") / f"{bundle.name}-{bundle.version}"
    print(write_report(bundle, evaluation, predictions, out, comparison=comparison))
    return 0


def _add_promote(commands: "Commands", add_data: "AddData") -> None:
    parser = commands.add_parser("promote", help="make a bundle the default unless it is worse than the current one")
    parser.add_argument("bundle", type=Path, help="folder or name of the bundle, in ml/bundles")
    _add_cache(parser)
    add_data(parser)
    parser.set_defaults(run_command=_promote)


def _promote(options: argparse.Namespace) -> int:
    from ml.release.promote import promote, resolve_bundle

    candidate, current = resolve_bundle(options.bundle), read_bundle(verify=True)
    decision = promote(candidate, current, data=options.data, cache=options.cache)
    print((candidate.folder / "comparison.md").read_text())
    for failure in decision.failures:
        print(f"refused: {failure}", file=sys.stderr)
    return 0 if decision.is_promoted else 1


def _add_table(commands: "Commands") -> None:
    parser = commands.add_parser("table", help="teacher, student alone and distilled student beside the earlier system")
    parser.set_defaults(run_command=_table)


def _table(options: argparse.Namespace) -> int:
    from ml.release.results_table import released_bundles, results_table

    print(results_table(released_bundles()), end="")
    return 0


def _add_external(commands: "Commands") -> None:
    parser = commands.add_parser("external", help="metrics of bundles on sources that they were not trained on")
    parser.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE")
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="also store them, for the model cards")
    parser.set_defaults(run_command=_external)


def _external(options: argparse.Namespace) -> int:
    from ml.release.external_validation import external_results, external_table, write_results
    from ml.release.promote import resolve_bundle

    results = external_results([resolve_bundle(path) for path in options.bundles])
    if options.output:
        write_results(results, options.output)
    print(external_table(results), end="")
    return 0


def _add_pointing(commands: "Commands") -> None:
    parser = commands.add_parser("pointing", help="how often the heatmap's strongest place is on a lesion")
    parser.add_argument("folder", nargs="?", type=Path, help="photographs and lesion masks in the layout of IDRiD")
    parser.add_argument("--drawn", type=int, metavar="N", help="N drawn retinas instead")
    parser.add_argument("--bundle", type=Path, help="folder or name of the bundle (the released one)")
    parser.set_defaults(run_command=_pointing)


def _pointing(options: argparse.Namespace) -> int:
    from ml.evaluation.pointing_game import idrid_masks, pointing_metrics, score_photos, synthetic_masks
    from ml.grader import Grader
    from ml.release.promote import resolve_bundle

    if (options.folder is None) == (options.drawn is None):
        print("error: name a folder, or --drawn N", file=sys.stderr)
        return 2
    bundle = resolve_bundle(options.bundle)
    pairs = synthetic_masks(options.drawn) if options.folder is None else idrid_masks(options.folder)
    for name, value in pointing_metrics(score_photos(Grader.load(bundle.folder), pairs)).items():
        print(f"{name.replace('_', ' ')}: {value:g}" if name == "n" else f"{name.replace('_', ' ')}: {value:.3f}")
    return 0
