"""External validation: metrics of models on a source that took no part in their training.

``python -m ml external BUNDLE ... --output ml/bundles/external_validation.json`` stores them for the model cards.
"""

import json
from pathlib import Path
from typing import Any

from ml.bundle import Bundle, read_evaluation
from ml.errors import InputError
from ml.evaluation.predictions import EXTERNAL
from ml.metrics.grading import EXTERNAL_METRICS
from ml.metrics.markdown import column_table, metric_cells

FILE = "external_validation.json"
HEAD = {
    "source": "source left out",
    "model_version": "model",
    "architecture": "network",
    "image_size_px": "input, px",
    "epochs": "epochs",
    "n": "photographs",
}
"""Titles of the first rows of the table."""


def external_results(bundles: list[Bundle]) -> list[dict[str, Any]]:
    """Source, model, and metrics with intervals of each source that a bundle was not trained on.

    Raises InputError if there is none.
    """
    results = [
        {
            "source": source,
            "model_version": bundle.model_version,
            "architecture": bundle.architecture,
            "image_size_px": bundle.image_size,
            "epochs": sum(stage.get("epochs_finished", stage["epochs"]) for stage in bundle.training["stages"]),
            "n": entry["n"],
            "metrics": {name: entry["metrics"][name] for name in EXTERNAL_METRICS},
        }
        for bundle in bundles
        for source, entry in sorted(read_evaluation(bundle)["splits"].get(EXTERNAL, {}).items())
    ]
    if not results:
        raise InputError("Each of these bundles was trained on every source: none has an external validation.")
    return results


def external_table(results: list[dict[str, Any]]) -> str:
    """The results as a table in Markdown, a column for each."""
    return column_table(
        [
            {title: result[name] for name, title in HEAD.items()} | metric_cells(result["metrics"], EXTERNAL_METRICS)
            for result in results
        ]
    )


def write_results(results: list[dict[str, Any]], path: Path) -> None:
    """Write the results as JSON, one line for each."""
    lines = ",\n".join(json.dumps(result) for result in results)
    path.write_text(f'{{"format": 1, "results": [\n{lines}\n]}}\n')


def external_section(bundle: Bundle) -> dict[str, Any] | None:
    """What a model card shows of the results stored beside the bundle; None if there are none."""
    path = bundle.folder.parent / FILE
    if not path.is_file():
        return None
    results = json.loads(path.read_text())["results"]
    sources = {result["source"] for result in results}
    trained_on = {source for stage in bundle.training["stages"] for source in stage["sources"]}
    return {"sources": sources, "is_trained_on": sources <= trained_on, "table": external_table(results)}
