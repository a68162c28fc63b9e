"""The comparison of two models on the same eyes equals scikit-learn's and SciPy's metrics; the gate follows from it."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from screening.policy.paired_models import GateFailure, ModelEye, PairedEye, compare_models, mcnemar_p


def eyes_of(n: int, *, seed: int = 0, worse_by: float = 0.0) -> list[PairedEye]:
    """Two eyes an exam; the candidate misses a fraction more of the referable ones than the model in use."""
    rng = np.random.default_rng(seed)
    eyes = []
    for i in range(n):
        grade = int(rng.choice(5, p=[0.5, 0.1, 0.25, 0.1, 0.05]))
        served = int(np.clip(grade + rng.integers(-1, 2) * (rng.random() < 0.3), 0, 4))
        candidate = 0 if rng.random() < worse_by else served
        found = [ModelEye(grade=one, is_flagged=one >= 2) for one in (served, candidate)]
        eyes.append(PairedEye(str(i // 2), grade >= 2, grade, *found))
    return eyes


@pytest.mark.parametrize("seed", range(3))
def test_kappa_sensitivity_and_mcnemar_are_those_of_scikit_learn_and_scipy(seed: int) -> None:
    eyes = eyes_of(300, seed=seed, worse_by=0.1)
    found = compare_models(eyes)
    signed = [eye.grade for eye in eyes]
    for kappa, model in ((found.served_kappa, "served"), (found.candidate_kappa, "candidate")):
        grades = [getattr(eye, model).grade for eye in eyes]
        assert kappa == pytest.approx(cohen_kappa_score(signed, grades, weights="quadratic"))
    referable = [eye for eye in eyes if eye.is_referable]
    lost = sum(eye.served.is_flagged and not eye.candidate.is_flagged for eye in referable)
    won = sum(eye.candidate.is_flagged and not eye.served.is_flagged for eye in referable)
    assert found.p_sensitivity == pytest.approx(binomtest(won, won + lost).pvalue)
    assert found.sensitivity.value == pytest.approx((won - lost) / len(referable))
    assert found.sensitivity.interval is not None
    low, high = found.sensitivity.interval
    assert low <= (found.sensitivity.value or 0) <= high
    assert found == compare_models(eyes)


def test_an_equal_candidate_passes_the_gate_and_a_worse_one_does_not() -> None:
    assert compare_models(eyes_of(400)).failures == ()
    worse = compare_models(eyes_of(400, worse_by=0.2)).failures
    assert set(worse) == {GateFailure.SENSITIVITY, GateFailure.KAPPA}
    assert GateFailure.TOO_FEW in compare_models(eyes_of(100)).failures


def test_nothing_is_no_comparison() -> None:
    found = compare_models([])
    assert (found.n_eyes, found.served_kappa, found.sensitivity.value, found.p_sensitivity) == (0, None, None, 1.0)
    assert set(found.failures) == set(GateFailure)
    assert mcnemar_p([[True, True], [False, False]]) == 1.0


def test_an_eye_that_a_model_cannot_grade_is_flagged_and_not_in_kappa() -> None:
    ungradable = ModelEye(grade=None, is_flagged=True)
    found = compare_models([PairedEye("a", True, 2, ungradable, ModelEye(2, True))])  # noqa: FBT003
    assert (found.n_eyes, found.n_graded, found.served_sensitivity.value) == (1, 0, 1.0)
