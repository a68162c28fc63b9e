"""Drift: the index of a hand-worked table, tests equal to those of SciPy, fewer than one false alarm a quarter."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp

from screening.policy.drift import (
    MIN_PHOTOGRAPHS,
    WEEKS_OF_QUARTER,
    Difference,
    bin_limits,
    compare_codes,
    compare_values,
    homogeneity,
    kolmogorov_smirnov,
    stability_index,
)

N_FEATURES = 7


def test_the_index_is_that_of_a_hand_worked_table() -> None:
    # (0.3 - 0.5) ln(0.3 / 0.5) + (0.3 - 0.3) ln 1 + (0.4 - 0.2) ln(0.4 / 0.2) = 0.10217 + 0 + 0.13863
    reference, week = {"a": 50, "b": 30, "c": 20}, {"a": 30, "b": 30, "c": 40}
    assert stability_index(reference, week) == pytest.approx(0.24080, abs=1e-5)
    assert stability_index(reference, reference) == 0
    assert stability_index(reference, {}) == 0
    assert stability_index({"a": 100}, {"b": 100}) > 5, "a camera that is new has a finite index"


@pytest.mark.parametrize(("n", "m", "shift"), [(40, 60, 0.0), (40, 60, 0.5), (25, 200, 0.3), (1, 5, 0.0)])
def test_kolmogorov_and_smirnov_are_those_of_scipy(n: int, m: int, shift: float) -> None:
    generator = np.random.default_rng(n + m)
    first, second = generator.normal(size=n), generator.normal(shift, size=m)
    expected = ks_2samp(first, second, method="exact")
    found = kolmogorov_smirnov(first.tolist(), second.tolist())
    assert found == pytest.approx((expected.statistic, expected.pvalue), abs=1e-9)
    assert kolmogorov_smirnov([], [1.0]) == (0.0, 1.0)


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.2])
def test_the_limit_for_large_samples_is_near_the_exact_p(shift: float) -> None:
    generator = np.random.default_rng(7)
    first, second = generator.normal(size=400), generator.normal(shift, size=600)
    expected = ks_2samp(first, second, method="exact").pvalue
    assert kolmogorov_smirnov(first.tolist(), second.tolist())[1] == pytest.approx(expected, rel=0.15, abs=1e-4)
    same = first.tolist()
    assert kolmogorov_smirnov(same, same) == (0.0, 1.0)


@pytest.mark.parametrize("k", [2, 3, 4, 5, 8])
def test_the_test_of_homogeneity_is_that_of_scipy(k: int) -> None:
    generator = np.random.default_rng(k)
    table = generator.integers(5, 50, (2, k))
    counts = [{str(code): int(n) for code, n in enumerate(row)} for row in table]
    assert homogeneity(*counts) == pytest.approx(chi2_contingency(table, correction=False).pvalue, abs=1e-9)
    assert homogeneity({"a": 3}, {"a": 9}) == 1


def test_unchanged_photographs_give_less_than_one_false_alarm_a_quarter() -> None:
    generator = np.random.default_rng(0)
    n_quarters, n_alarms = 12, 0
    for _ in range(n_quarters):
        reference = generator.normal(size=500).tolist()
        codes = dict(zip("abc", generator.multinomial(500, [0.7, 0.25, 0.05]).tolist(), strict=True))
        for _ in range(WEEKS_OF_QUARTER):
            week = generator.normal(size=60).tolist()
            of_week = dict(zip("abc", generator.multinomial(60, [0.7, 0.25, 0.05]).tolist(), strict=True))
            found = compare_values(reference, week), compare_codes(codes, of_week)
            n_alarms += sum(one.is_alarm(N_FEATURES) for one in found)
    assert n_alarms / n_quarters * N_FEATURES / 2 < 1, "two of seven measurements are simulated"


def test_a_change_is_found_and_few_photographs_give_no_alarm() -> None:
    generator = np.random.default_rng(1)
    reference, darker = generator.normal(size=500).tolist(), generator.normal(-1, size=60).tolist()
    assert compare_values(reference, darker).is_alarm(N_FEATURES)
    assert compare_codes({"a": 400, "b": 100}, {"a": 10, "b": 50}).is_alarm(N_FEATURES)
    assert not Difference(psi=2.0, p=0.0, n=MIN_PHOTOGRAPHS - 1, n_reference=5000).is_alarm(N_FEATURES)
    assert not Difference(psi=2.0, p=0.0, n=5000, n_reference=MIN_PHOTOGRAPHS - 1).is_alarm(N_FEATURES)
    assert not Difference(psi=0.05, p=0.0, n=5000, n_reference=5000).is_alarm(N_FEATURES), "rare, and small"
    assert bin_limits([1.0] * 20) == [1.0]
