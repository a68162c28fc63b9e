"""Confidence intervals resample patients, not photographs."""

import numpy as np
import pytest

from ml.metrics import bootstrap as bootstrap_module
from ml.metrics.bootstrap import (
    ClusterResampler,
    bootstrap,
    confidence_interval,
    p_value,
    with_confidence_intervals,
)


@pytest.fixture(autouse=True)
def many_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap_module, "N_RESAMPLES", 1000)


def test_a_patient_is_resampled_with_all_photographs() -> None:
    groups = np.array(["anna", "bert", "anna", "cleo", "anna"])
    counts = np.bincount(ClusterResampler(groups).resample(np.random.default_rng(0)), minlength=5)
    assert counts[0] == counts[2] == counts[4]
    assert counts[0] + counts[1] + counts[3] == 3  # as many patients as there are


def test_the_interval_of_a_mean_is_the_normal_one() -> None:
    values = np.random.default_rng(1).normal(5, 2, 400)
    groups = np.arange(400).astype(str)
    found = with_confidence_intervals(lambda i: {"mean": float(values[i].mean())}, groups)["mean"]
    assert found
    assert found[0] == pytest.approx(values.mean(), abs=1e-4)
    error = values.std() / 20
    assert found == pytest.approx([values.mean(), values.mean() - 1.96 * error, values.mean() + 1.96 * error], abs=0.05)


def test_two_eyes_of_one_patient_widen_the_interval() -> None:
    values = np.repeat(np.random.default_rng(2).normal(0, 1, 200), 2)
    widths = []
    for groups in (np.repeat(np.arange(200), 2).astype(str), np.arange(400).astype(str)):
        interval = confidence_interval(bootstrap(lambda i: {"mean": float(values[i].mean())}, groups)["mean"])
        assert interval
        widths.append(interval[1] - interval[0])
    assert widths[0] == pytest.approx(widths[1] * 2**0.5, rel=0.1)


def test_a_metric_that_is_often_undefined_has_no_interval() -> None:
    assert confidence_interval(np.array([0.5] * 80 + [np.nan] * 20)) is None
    never = with_confidence_intervals(lambda i: {"never": float("nan")}, np.array(["a", "b"]))
    assert never == {"never": None}


def test_p_is_small_if_differences_never_change_their_sign() -> None:
    assert p_value(np.linspace(0.1, 0.2, 999)) == pytest.approx(2 / 1000)
    assert p_value(np.linspace(-1, 1, 999)) == pytest.approx(1, abs=0.01)
