"""Operating points equal scikit-learn's figures, and the table of a bundle is counted back into cases."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from ml.bundle import RocTable, SourceRoc
from screening.policy.operating_points import (
    ScoredCase,
    area_under_curve,
    points_at,
    roc_curve,
    validation_points,
)


@pytest.mark.parametrize("seed", range(5))
def test_the_curve_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random(200) < 0.3
    p = np.round(np.clip(rng.normal(0.3 + 0.3 * truth, 0.2), 0, 1), 2)  # with ties
    cases = [ScoredCase(bool(t), float(x)) for t, x in zip(truth, p, strict=True)]
    false_positive, sensitivity, thresholds = sklearn_roc_curve(truth, p, drop_intermediate=False)
    corners = roc_curve(cases)
    assert np.allclose(corners, np.column_stack([false_positive, sensitivity]))
    assert area_under_curve(corners) == pytest.approx(roc_auc_score(truth, p))
    points = points_at(cases, [float(one) for one in thresholds[1:]])
    assert [point.sensitivity.value for point in points] == pytest.approx(sensitivity[1:].tolist())
    assert [1 - (point.specificity.value or 0) for point in points] == pytest.approx(false_positive[1:].tolist())


def test_one_class_has_no_curve() -> None:
    assert roc_curve([ScoredCase(True, 0.4)]) == roc_curve([]) == []  # noqa: FBT003
    assert area_under_curve([]) is None
    (point,) = points_at([ScoredCase(True, 0.4)], [0.4])  # noqa: FBT003
    assert (point.sensitivity.value, point.specificity.value) == (1.0, None)


def test_sources_are_pooled_by_their_photographs() -> None:
    def source(n: int, found: float) -> SourceRoc:
        undefined = (None, None, None)
        return SourceRoc(
            n_referable=n, n_not_referable=2 * n, sensitivity=((found, 0.0, 1.0),), specificity=(undefined,)
        )

    (point,) = validation_points(RocTable(thresholds=(0.3,), sources={"a": source(30, 0.9667), "b": source(10, 0.5)}))
    assert (point.threshold, point.sensitivity.n_positive, point.sensitivity.n) == (0.3, 34, 40)
    assert (point.specificity.n_positive, point.specificity.n) == (0, 80)
