"""Model card of a bundle: every number comes from its JSON files or the external validation beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ml.bundle import Bundle, default_bundle, read_evaluation
from ml.evaluation.evaluate import MIN_SUBGROUP_PHOTOS
from ml.evaluation.lesion_heatmaps import HELD_OUT, TRAINING, heatmap_table, heatmap_verdict
from ml.metrics.grading import MAIN_METRICS, REFERRAL_METRICS, titles
from ml.metrics.markdown import Cells, column_table, metric_cells, row_table, table, with_interval
from ml.metrics.oedema import OEDEMA_METRICS
from ml.metrics.quality_gate import GATE_METRICS
from ml.release import roc
from ml.release.external_validation import external_section
from ml.release.rendering import render
from ml.release.reproduction import commands
from ml.vocabulary import N_GRADES, ServedModel

DOCUMENTATION = Path(__file__).parents[2] / "docs"
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
Entry = dict[str, Any]
"""What evaluation.json has about one source or one subgroup."""


def write_card(bundle: Bundle) -> Path:
    """Write model-card.md beside bundle.json, and that of a default bundle into the documentation too."""
    path, text = bundle.folder / "model-card.md", card_text(bundle)
    path.write_text(text)
    if bundle.folder.resolve() == default_bundle(bundle.served_model).resolve():
        documented_card(bundle.served_model).write_text(text)
    return path


def documented_card(model: ServedModel) -> Path:
    """The page of the documentation that has the card of a served model."""
    return DOCUMENTATION / f"model-card-{model}.md"


def card_text(bundle: Bundle) -> str:
    """The card in Markdown. Raises BundleError if the bundle has no evaluation of exactly its weights."""
    evaluation = read_evaluation(bundle)
    splits, tested = evaluation["splits"], evaluation["splits"]["test"]
    heatmaps = evaluation["lesion_heatmaps"]
    return render(
        "model-card.md",
        bundle=bundle,
        evaluation=evaluation,
        size_mb=bundle.weights.stat().st_size / 1e6,
        distillation=_distillation(bundle.training["stages"]),
        data_table=_data_table(bundle.training["photographs_by_grade"]),
        starting_weights=STARTING_WEIGHTS.get(bundle.architecture, "none"),
        metrics_tables={t: _source_table(splits[s], _main_cells) for s, t in SPLIT_TITLES.items() if s in splits},
        gate_table=_source_table(tested, lambda entry: metric_cells(entry["quality_gate"], GATE_METRICS)),
        oedema_table=_oedema_table(splits),
        heatmap_table=heatmap_table(heatmaps.get(HELD_OUT, {})),
        heatmap_verdict=heatmap_verdict(heatmaps.get(HELD_OUT, {})),
        training_heatmaps=heatmaps.get(TRAINING, {}).get("grade"),
        roc_card_table=roc.card_table(bundle.roc) if bundle.roc else "",
        grade_table=_source_table(tested, _grade_cells),
        confusion_table=_confusion_table(tested),
        min_subgroup=MIN_SUBGROUP_PHOTOS,
        subgroup_table=_subgroup_table(evaluation["subgroups"]),
        external=external_section(bundle),
        commands=commands(bundle),
    )


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


def _source_table(entries: dict[str, Entry], cells: Callable[[Entry], Cells]) -> str:
    """A column for each source."""
    return column_table(
        [{"": source, "photographs": entry["n"], **cells(entry)} for source, entry in sorted(entries.items())]
    )


def _main_cells(entry: Entry) -> Cells:
    cells: dict[str, object] = {}
    for name, title in MAIN_METRICS.items():
        cells[title] = with_interval(entry["metrics"][name])
        if name == "expected_calibration_error":
            cells["calibration error by chance"] = with_interval(entry["ece_noise_floor"])
    return cells


def _grade_cells(entry: Entry) -> Cells:
    cells: dict[str, object] = {}
    for k, n in enumerate(entry["n_by_grade"]):
        cells[f"photographs, grade {k}"] = n
        cells |= metric_cells(entry["metrics"], titles(f"sensitivity_grade_{k}", f"precision_grade_{k}"))
    return cells


def _oedema_table(splits: dict[str, dict[str, Entry]]) -> str:
    """Macular oedema, a row for each split and source with that label; empty if there are none."""
    return row_table(
        [
            {"split": split, "source": source, "photographs": oedema["n"], "with oedema": oedema["n_positive"]}
            | metric_cells(oedema["metrics"], OEDEMA_METRICS)
            | {"uncertain: suspected": f"{oedema['n_uncertain_suspected']} of {oedema['n_uncertain']}"}
            for split, entries in splits.items()
            for source, entry in sorted(entries.items())
            if (oedema := entry.get("macular_oedema"))
        ]
    )


def _confusion_table(entries: dict[str, Entry]) -> str:
    head = ["source", "true grade", *(f"predicted {k}" for k in range(N_GRADES))]
    rows = [
        [s, k, *counts] for s, entry in sorted(entries.items()) for k, counts in enumerate(entry["confusion_matrix"])
    ]
    return table([head, *rows])


def _subgroup_table(subgroups: dict[str, Any]) -> str:
    """A row for each group of an attribute, if one of them has metrics."""
    return row_table(
        [
            {"source": source, "group": f"{attribute.replace('_', ' ')}: {group}"}
            | {"photographs": entry["n"], "people": entry["n_groups"], "grade >= 2": entry["n_referable"]}
            | metric_cells(entry["metrics"], REFERRAL_METRICS)
            for source, attributes in sorted(subgroups.items())
            for attribute, groups in attributes.items()
            if any(any(entry["metrics"].values()) for entry in groups.values())
            for group, entry in groups.items()
        ]
    )
