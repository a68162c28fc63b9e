"""External validation: metrics of models on a source that took no part in their training.

``python -m ml external BUNDLE ... --output ml/bundles/external_validation.json`` stores them for the model cards.
"""

import json
from pathlib import Path
from typing import Any

from ml.bundle import Bundle, read_evaluation
from ml.errors import InputError
from ml.evaluation.predictions import EXTERNAL
from ml.metrics.markdown import table, with_interval

FILE = "external_validation.json"
METRICS = ("accuracy", "quadratic_kappa", "referable_auc", "referable_sensitivity", "referable_specificity")

SECTION = """
### On a source that took no part in training
The networks below were trained without one source, to measure what a clinic with another camera and other people would
see, and then read all photographs of that source.{copy}{seen}

{rows}"""


def external_results(bundles: list[Bundle]) -> list[dict[str, Any]]:
    """Name, model, and metrics with intervals of each source that a bundle was not trained on.

    Raises InputError if there is none.
    """
    results = [
        {
            "source": source,
            "bundle": bundle.model_version,
            "network": _network(bundle),
            "n": entry["n"],
            "figures": {name: entry["figures"][name] for name in METRICS},
        }
        for bundle in bundles
        for source, entry in sorted(read_evaluation(bundle)["parts"].get(EXTERNAL, {}).items())
    ]
    if not results:
        raise InputError("Each of these bundles was trained on every source: none has an external validation.")
    return results


def _network(bundle: Bundle) -> str:
    stages = bundle.training["stages"]
    n_epochs = sum(stage.get("epochs_finished", stage["epochs"]) for stage in stages)
    return f"{bundle.architecture}, {bundle.side_px} px, {n_epochs} epochs"


def external_table(results: list[dict[str, Any]]) -> str:
    """The results as a table in Markdown."""
    head = ["source left out", "bundle", "network", "photographs", *(name.replace("_", " ") for name in METRICS)]
    cells = [
        [r["source"], r["bundle"], r["network"], str(r["n"]), *(with_interval(r["figures"][name]) for name in METRICS)]
        for r in results
    ]
    return table([head, *cells])


def write_results(results: list[dict[str, Any]], path: Path) -> None:
    """Write the results as JSON, one line for each."""
    lines = ",\n".join(json.dumps(result) for result in results)
    path.write_text(f'{{"format": 1, "results": [\n{lines}\n]}}\n')


def external_section(bundle: Bundle) -> str:
    """A section of a card in Markdown; empty if no results are stored beside the bundle."""
    path = bundle.folder.parent / FILE
    if not path.is_file():
        return ""
    results = json.loads(path.read_text())["results"]
    left_out = {result["source"] for result in results}
    trained_on = {source for stage in bundle.training["stages"] for source in stage["sources"]}
    copy = "\nEyePACS is left out together with its equalised copy." if "eyepacs" in left_out else ""
    seen = "\nThe network above has seen photographs of each of them." if left_out <= trained_on else ""
    return SECTION.format(copy=copy, seen=seen, rows=external_table(results))
