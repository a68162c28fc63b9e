"""The accuracy on the pages is that of the released bundles."""

import json
from pathlib import Path

import pytest

from ml.bundle import read_bundle

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
def test_the_readme_has_the_metrics_of_the_default_bundle(source: str, title: str) -> None:
    m = read_bundle().metrics["test"][source]
    operating_point = f"{m['referable_sensitivity']:.3f} / {m['referable_specificity']:.3f}"
    row = f"| {title} ({m['n']}) | {m['quadratic_kappa']:.3f} | {m['referable_auc']:.3f} | {operating_point} |"
    assert row in README


def row_with_intervals(title: str, n: str, metrics: dict[str, list[float]]) -> str:
    names = ("quadratic_kappa", "referable_auc", "referable_sensitivity", "referable_specificity")
    cells = ("{:.3f} ({:.3f}-{:.3f})".format(*metrics[name]) for name in names)
    return f"| {title} | {n} | {' | '.join(cells)} |"


@pytest.mark.parametrize(("source", "title"), TITLES.items())
def test_the_page_has_the_intervals_of_the_default_bundle(source: str, title: str) -> None:
    evaluation = json.loads((read_bundle().folder / "evaluation.json").read_text())
    entry = evaluation["splits"]["test"][source]
    assert row_with_intervals(title, str(entry["n"]), entry["metrics"]) in RESULTS


def test_the_page_has_the_external_validation() -> None:
    entries = json.loads((ROOT / "ml" / "bundles" / "external_validation.json").read_text())["results"]
    assert entries
    for entry in entries:
        assert row_with_intervals(TITLES[entry["source"]], f"{entry['n']:,}", entry["metrics"]) in RESULTS
