"""Model card of a bundle: every number comes from its JSON files or the external validation beside it."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ml.bundle import Bundle, default_bundle, read_evaluation
from ml.errors import BundleError
from ml.evaluation.evaluate import MIN_SUBGROUP_PHOTOS
from ml.metrics.grading import MAIN_METRICS, METRICS, SUBGROUP_METRICS
from ml.metrics.markdown import table, with_interval
from ml.metrics.quality_gate import GATE_METRICS
from ml.release.external_validation import external_section
from ml.release.rendering import render
from ml.release.reproduction import commands
from ml.vocabulary import N_GRADES

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "model-card.md"
STARTING_WEIGHTS = {
    "mobilenet_v3_small": "ImageNet weights of Keras (Apache-2.0), converted",
    "resnet50": (
        "ImageNet weights of ABM-SpConv (MIT), pruned and stored as int8 before they were converted; how their authors "
        "trained them is not stated"
    ),
    "resnet50_v1_5": "ImageNet weights of torchvision (BSD-3-Clause)",
}
SPLIT_TITLES = {
    "test": "Test split",
    "validation": "Validation split",
    "external": "Sources that the model was not trained on",
}
NOISE_FLOOR = "calibration error by chance"

Entry = dict[str, Any]
"""What evaluation.json has about one source or one subgroup."""
Columns = Sequence[tuple[str, Callable[[Entry], object]]]
"""Titles, and the value of an entry."""


def write_card(bundle: Bundle) -> Path:
    """Write model-card.md beside bundle.json, and the default bundle's into the documentation too."""
    path, text = bundle.folder / "model-card.md", card_text(bundle)
    path.write_text(text)
    if is_default(bundle):
        DOCUMENTATION.write_text(text)
    return path


def is_default(bundle: Bundle) -> bool:
    """Whether the bundle is the one that grades by default."""
    try:
        return bundle.folder.resolve() == default_bundle().resolve()
    except BundleError:  # none is released
        return False


def card_text(bundle: Bundle) -> str:
    """The card in Markdown. Raises BundleError if the bundle has no evaluation of exactly its weights."""
    evaluation = read_evaluation(bundle)
    splits, tested = evaluation["splits"], evaluation["splits"].get("test", {})
    return render(
        "model-card.md",
        bundle=bundle,
        evaluation=evaluation,
        size_mb=bundle.weights.stat().st_size / 1e6,
        distillation=_distillation(bundle.training["stages"]),
        data_table=_data_table(bundle.training["photographs_by_grade"]),
        starting_weights=STARTING_WEIGHTS.get(bundle.architecture, "none"),
        metrics_tables={title: metrics_table(splits[s]) for s, title in SPLIT_TITLES.items() if s in splits},
        gate_table=_gate_table(tested),
        grade_table=_grade_table(tested),
        confusion_table=_confusion_table(tested),
        min_subgroup=MIN_SUBGROUP_PHOTOS,
        subgroup_tables=_subgroup_tables(evaluation["subgroups"]),
        external=external_section(bundle),
        commands=commands(bundle),
    )


def metrics_table(entries: dict[str, Entry]) -> str:
    """The main metrics of each source."""
    rows = [(METRICS[name].title, _metric(name)) for name in MAIN_METRICS]
    after_ece = 1 + MAIN_METRICS.index("expected_calibration_error")
    rows.insert(after_ece, (NOISE_FLOOR, lambda entry: with_interval(entry["ece_noise_floor"])))
    return _source_table(entries, rows)


def _gate_table(entries: dict[str, Entry]) -> str:
    return _source_table(entries, [(title, _metric(name, "quality_gate")) for name, title in GATE_METRICS.items()])


def _metric(name: str, section: str = "metrics") -> Callable[[Entry], str]:
    return lambda entry: with_interval(entry[section][name])


def _source_table(entries: dict[str, Entry], rows: Columns) -> str:
    """A row for each value, a column for each source."""
    sources = sorted(entries)
    head = [["", *sources], ["photographs", *(entries[source]["n"] for source in sources)]]
    return table([*head, *([title, *(value(entries[source]) for source in sources)] for title, value in rows)])


def _distillation(stages: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Teachers, and sets of photographs without a grade, of all stages of training."""
    used = [stage["distillation"] for stage in stages if stage.get("distillation")]
    return {
        name: list(dict.fromkeys(value for each in used for value in each.get(name, [])))
        for name in ("teachers", "unlabelled")
    }


def _data_table(counts: dict[str, dict[str, list[int]]]) -> str:
    head = ["source", "split", *(f"grade {k}" for k in range(N_GRADES))]
    return table([head, *([s, split, *n] for s, splits in sorted(counts.items()) for split, n in splits.items())])


def _grade_table(entries: dict[str, Entry]) -> str:
    rows: list[tuple[str, Callable[[Entry], object]]] = []
    for k in range(N_GRADES):
        rows.append((f"photographs, grade {k}", partial(_n_of_grade, k)))
        rows += [(METRICS[name].title, _metric(name)) for name in (f"sensitivity_grade_{k}", f"precision_grade_{k}")]
    return _source_table(entries, rows)


def _n_of_grade(k: int, entry: Entry) -> int:
    return int(entry["n_by_grade"][k])


def _confusion_table(entries: dict[str, Entry]) -> str:
    head = ["source", "true grade", *(f"predicted {k}" for k in range(N_GRADES))]
    rows = [
        [s, k, *counts] for s, entry in sorted(entries.items()) for k, counts in enumerate(entry["confusion_matrix"])
    ]
    return table([head, *rows])


def _subgroup_tables(subgroups: dict[str, Any]) -> list[str]:
    """One table of counts and the grade, one of referral: together they are too wide."""
    counts: Columns = [("photographs", lambda entry: entry["n"]), ("grade >= 2", lambda entry: entry["n_referable"])]
    metrics = [(METRICS[name].title, _metric(name)) for name in SUBGROUP_METRICS]
    half = len(metrics) // 2
    return [_subgroup_table(subgroups, columns) for columns in ([*counts, *metrics[:half]], metrics[half:])]


def _subgroup_table(subgroups: dict[str, Any], columns: Columns) -> str:
    rows = [
        [source, f"{attribute.replace('_', ' ')}: {group}", *(value(entry) for _, value in columns)]
        for source, attributes in sorted(subgroups.items())
        for attribute, groups in attributes.items()
        for group, entry in groups.items()
    ]
    return table([["source", "group", *(title for title, _ in columns)], *rows])
