"""The accuracy on the pages is that of the released bundles."""

import json
from pathlib import Path

import pytest

from ml.bundle import default_bundle, read_bundle, read_evaluation
from ml.vocabulary import ServedModel

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
RESULTS = (ROOT / "docs" / "results.md").read_text()
TITLES = {
    "aptos2019": "APTOS 2019",
    "eyepacs": "EyePACS",
    "idrid": "IDRiD",
    "messidor2": "Messidor-2",
    "odir5k": "ODIR-5K",
    "srahim": "SRahim",
}


@pytest.mark.parametrize(("source", "title"), TITLES.items())
def test_the_readme_has_the_metrics_of_both_models(source: str, title: str) -> None:
    row, n = "", set()
    for model in ServedModel:
        m = read_bundle(default_bundle(model)).metrics["test"][source]
        operating_point = f"{m['referable_sensitivity']:.3f} / {m['referable_specificity']:.3f}"
        row += f" | {m['quadratic_kappa']:.3f} | {m['referable_auc']:.3f} | {operating_point}"
        n.add(m["n"])
    assert f"| {title} ({n.pop()}){row} |" in README
    assert not n, "the same photographs"


def row_with_intervals(title: str, n: str, metrics: dict[str, list[float]]) -> str:
    names = ("quadratic_kappa", "referable_auc", "referable_sensitivity", "referable_specificity")
    cells = ("{:.3f} ({:.3f}-{:.3f})".format(*metrics[name]) for name in names)
    return f"| {title} | {n} | {' | '.join(cells)} |"


@pytest.mark.parametrize("model", ServedModel)
@pytest.mark.parametrize(("source", "title"), TITLES.items())
def test_the_page_has_the_intervals_of_both_models(model: ServedModel, source: str, title: str) -> None:
    bundle = read_bundle(default_bundle(model))
    entry = read_evaluation(bundle)["splits"]["test"][source]
    assert row_with_intervals(title, str(entry["n"]), entry["metrics"]) in RESULTS
    assert f"| *{model}* | `{bundle.folder.name}` |" in RESULTS


def test_the_page_has_the_external_validation() -> None:
    entries = json.loads((ROOT / "ml" / "bundles" / "external_validation.json").read_text())["results"]
    assert entries
    for entry in entries:
        assert row_with_intervals(TITLES[entry["source"]], f"{entry['n']:,}", entry["metrics"]) in RESULTS
