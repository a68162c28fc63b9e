"""Agreement of a reader: kappa as in ``ml.metrics``, its interval, sensitivity and specificity."""

from collections import Counter

import numpy as np
import pytest

from ml.metrics.grading import quadratic_kappa as numpy_kappa
from screening.policy import MacularOedema
from screening.policy.agreement import MIN_GROUPS, ComparedEye, EyeGrade, compute_agreement, quadratic_kappa

NONE, SUSPECTED = MacularOedema.NONE, MacularOedema.SUSPECTED


def eye(
    signed: int | None,
    found: int | None,
    group: str = "a",
    signed_oedema: MacularOedema = NONE,
    oedema: MacularOedema = NONE,
) -> ComparedEye:
    return ComparedEye(group, EyeGrade(signed, signed_oedema), EyeGrade(found, oedema))


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_the_metrics_of_models(seed: int) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 5, 60)
    grades = np.clip(truth + generator.integers(-1, 2, 60), 0, 4)
    counts = Counter(zip(truth.tolist(), grades.tolist(), strict=True))
    assert quadratic_kappa(counts) == pytest.approx(numpy_kappa(truth, grades))


@pytest.mark.parametrize("pairs", [[], [(2, 2)] * 4])
def test_kappa_is_undefined_without_different_grades(pairs: list[tuple[int, int]]) -> None:
    assert quadratic_kappa(Counter(pairs)) is None


def test_the_interval_has_kappa_in_it_and_is_the_same_each_time() -> None:
    eyes = [eye(grade % 5, (grade + (grade % 3 == 0)) % 5, str(grade)) for grade in range(30)]
    agreement = compute_agreement(eyes)
    assert agreement.kappa is not None
    assert agreement.kappa_interval is not None
    low, high = agreement.kappa_interval
    assert low < agreement.kappa < high
    assert compute_agreement(reversed(eyes)) == agreement


def test_few_exams_have_no_interval_however_many_eyes_they_have() -> None:
    eyes = [eye(grade % 5, grade % 4, str(grade % (MIN_GROUPS - 1))) for grade in range(60)]
    assert compute_agreement(eyes).kappa_interval is None


def test_both_eyes_of_an_exam_are_resampled_together() -> None:
    pairs = [(grade % 5, (grade + grade % 2) % 5) for grade in range(40)]
    one_eye = [eye(*pair, f"{number:02}") for number, pair in enumerate(pairs)]
    assert compute_agreement(one_eye * 2).kappa_interval == compute_agreement(one_eye).kappa_interval


def test_sensitivity_and_specificity_are_of_gradable_eyes() -> None:
    eyes = [
        eye(2, 3),
        eye(2, 1),
        eye(0, 0, signed_oedema=SUSPECTED, oedema=SUSPECTED),  # oedema alone makes an eye referable
        eye(0, 0, oedema=SUSPECTED),
        eye(1, 1),
        eye(3, None),  # the reader refers an eye that cannot be graded
        eye(0, None),
        eye(None, 0),
    ]
    found = compute_agreement(eyes)
    assert (found.sensitivity.n_positive, found.sensitivity.n) == (3, 4)
    assert (found.specificity.n_positive, found.specificity.n) == (1, 3)
    assert (found.n_eyes, found.n_graded, found.n_ungradable) == (8, 5, 3)
