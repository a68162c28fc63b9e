"""Intervals draw people, not photographs."""

import numpy as np
import pytest

from ml.metrics.bootstrap import bootstrap, interval, p_value, resample, with_intervals


def test_a_person_is_drawn_with_all_of_their_photographs() -> None:
    groups = np.array(["anna", "bert", "anna", "cleo", "anna"])
    rows = resample(groups, np.random.default_rng(0))
    counts = np.bincount(rows, minlength=5)
    assert counts[0] == counts[2] == counts[4]
    assert counts[0] + counts[1] + counts[3] == 3  # as many people as there are


def test_the_interval_of_a_mean_is_that_of_the_books() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(5, 2, 400)
    groups = np.arange(400).astype(str)
    found = with_intervals(lambda rows: {"mean": float(values[rows].mean())}, groups)["mean"]
    assert found is not None
    value, low, high = found
    error = values.std() / 20
    assert value == pytest.approx(values.mean(), abs=1e-4)
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.05)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.05)


def test_two_eyes_of_one_person_widen_the_interval() -> None:
    values = np.repeat(np.random.default_rng(2).normal(0, 1, 200), 2)
    people, photographs = np.repeat(np.arange(200), 2).astype(str), np.arange(400).astype(str)
    widths = []
    for groups in (people, photographs):
        ends = interval(bootstrap(lambda rows: {"mean": float(values[rows].mean())}, groups)["mean"])
        assert ends is not None
        widths.append(ends[1] - ends[0])
    assert widths[0] == pytest.approx(widths[1] * 2**0.5, rel=0.1)


def test_a_figure_that_often_has_no_meaning_has_no_interval() -> None:
    values = np.array([0.5] * 80 + [np.nan] * 20)
    assert interval(values) is None
    found = with_intervals(lambda rows: {"never": float("nan")}, np.array(["a", "b"]), n_resamples=5)
    assert found == {"never": None}


def test_p_is_small_where_differences_never_change_their_sign() -> None:
    assert p_value(np.linspace(0.1, 0.2, 999)) == pytest.approx(2 / 1000)
    assert p_value(np.linspace(-1, 1, 999)) == pytest.approx(1, abs=0.01)
