"""The operating points that a site can choose."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from ml.bundle import RocTable
from ml.release.roc import TARGETS, card_table, roc_table

RNG = np.random.default_rng(3)
N = 400
SOURCES = np.repeat(["camera a", "camera b"], N // 2)
POSITIVE = np.arange(N) % 4 == 0
P = np.clip(RNG.normal(np.where(POSITIVE, 0.6, 0.3), 0.15) - 0.1 * (SOURCES == "camera b"), 0.002, 0.998)
GROUPS = np.arange(N).astype(str)


@pytest.fixture(scope="module")
def roc() -> RocTable:
    return roc_table(POSITIVE, P, SOURCES, GROUPS, operating_point=0.31)


def test_each_threshold_has_the_sensitivity_and_specificity_of_each_source(roc: RocTable) -> None:
    for name, measured in roc.sources.items():
        rows = name == SOURCES
        assert (measured.n_referable, measured.n_not_referable) == (50, 150)
        for i, threshold in enumerate(roc.thresholds):
            sensitivity, low, high = (value for value in measured.sensitivity[i] if value is not None)
            assert sensitivity == pytest.approx((P[rows & POSITIVE] >= threshold).mean(), abs=1e-4)
            assert measured.specificity[i][0] == pytest.approx((P[rows & ~POSITIVE] < threshold).mean(), abs=1e-4)
            assert low <= sensitivity <= high


def test_the_thresholds_reach_the_targets_on_the_mean_of_the_sources(roc: RocTable) -> None:
    by_source = [[value or 0.0 for value, _, _ in one.sensitivity] for one in roc.sources.values()]
    means = np.mean(by_source, axis=0)  # (thresholds,)
    assert 0.31 in roc.thresholds
    for target in TARGETS:
        assert means[means >= target - 1e-4].min() - target < 0.03


def test_a_source_without_referable_photographs_is_left_out() -> None:
    positive = POSITIVE & (SOURCES == "camera a")
    assert set(roc_table(positive, P, SOURCES, GROUPS, operating_point=0.3).sources) == {"camera a"}


def test_it_is_read_as_it_was_written_and_shown_in_the_card(roc: RocTable) -> None:
    assert RocTable.from_json(json.loads(json.dumps(asdict(roc)))) == roc
    lines = card_table(roc).splitlines()
    assert "camera a (50 of 200)" in lines[0]
    assert len(lines) == 2 + len(roc.thresholds)
