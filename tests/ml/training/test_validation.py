"""The validation score: the worst source counts, and a small source has a small weight."""

from typing import Any

import pytest

from ml.data.labels import EQUALIZED_SOURCE
from ml.training.validation import validation_score


def score(**sources: dict[str, Any]) -> float:
    """The score of two equal sources, with changes."""
    usual = {"n": 300, "kappa": 0.7, "auc": 0.9}
    both: dict[str, dict[str, Any]] = {"a": {}, "b": {}}
    return validation_score({name: usual | changes for name, changes in (both | sources).items()})


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ({"b": {"auc": 0.8}}, {"a": {"auc": 0.85}, "b": {"auc": 0.85}}),
        ({"b": {"kappa": 0.6}}, {}),
        ({"c": {"auc": 0.5}}, {EQUALIZED_SOURCE: {"auc": 0.5}}),
    ],
    ids=["the worst AUC counts", "kappa counts", "equalised colours are never the worst source"],
)
def test_a_lower_score(lower: dict[str, Any], higher: dict[str, Any]) -> None:
    assert score(**lower) < score(**higher)


def test_the_kappa_of_a_small_source_has_a_small_weight() -> None:
    large = score() - score(b={"kappa": 0.5})
    small = score(b={"n": 30}) - score(b={"n": 30, "kappa": 0.5})
    assert 0 < small < large
