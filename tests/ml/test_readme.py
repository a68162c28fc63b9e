"""The README's figures are the released bundle's."""

from pathlib import Path

import pytest

from ml.bundle import read_bundle

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.mark.parametrize(
    ("title", "source"), [("APTOS 2019", "aptos2019"), ("EyePACS", "eyepacs"), ("ODIR-5K", "odir5k")]
)
def test_the_readme_quotes_the_released_bundle(title: str, source: str) -> None:
    figures = read_bundle().metrics["test"][source]
    row = (
        f"| {title} | {figures['n']} | {figures['quadratic_kappa']:.3f} | {figures['referable_auc']:.3f} | "
        f"{figures['referable_sensitivity']:.3f} / {figures['referable_specificity']:.3f} |"
    )
    assert row in README
