"""Agreement by counts: kappa as in scikit-learn, its interval, sensitivity and specificity; direction of changes."""

from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, recall_score

from screening.policy.agreement import MIN_GROUPS
from screening.policy.agreement_counts import Change, GradedEye, Pair, agreement_of_counts, direction_of_change


def graded(grade: int | None) -> GradedEye:
    return GradedEye(grade, grade is not None and grade >= 2)


def random_groups(seed: int, n_groups: int = 40, n: int = 12) -> list[list[Pair]]:
    generator = np.random.default_rng(seed)
    groups = []
    for _ in range(n_groups):
        truth = generator.integers(0, 5, n)
        found = np.clip(truth + generator.integers(-1, 2, n), 0, 4)
        groups.append([(graded(int(a)), graded(int(b))) for a, b in zip(truth, found, strict=True)])
    return groups


@pytest.mark.parametrize("seed", range(4))
def test_kappa_sensitivity_and_specificity_are_those_of_scikit_learn(seed: int) -> None:
    groups = random_groups(seed)
    pairs = [pair for group in groups for pair in group]
    result = agreement_of_counts(Counter(group) for group in groups)
    truth, found = ([pair[side].grade for pair in pairs] for side in (0, 1))
    assert result.kappa == pytest.approx(cohen_kappa_score(truth, found, weights="quadratic"))
    flags, called = ([pair[side].is_referable for pair in pairs] for side in (0, 1))
    assert result.sensitivity.value == pytest.approx(recall_score(flags, called))
    assert result.specificity.value == pytest.approx(recall_score(flags, called, pos_label=False))
    assert result.n_eyes == result.n_graded == len(pairs)


def test_the_interval_of_kappa_is_as_wide_as_kappa_varies() -> None:
    widths, values = [], []
    for seed in range(60):
        result = agreement_of_counts(Counter(group) for group in random_groups(seed, 20, 10))
        assert result.kappa is not None
        assert result.kappa_interval is not None
        low, high = result.kappa_interval
        widths.append(high - low)
        values.append(result.kappa)
    assert np.mean(widths) == pytest.approx(2 * 1.96 * np.std(values), rel=0.2)


def test_few_groups_have_no_interval() -> None:
    groups = [Counter(group) for group in random_groups(0, MIN_GROUPS - 1)]
    assert agreement_of_counts(groups).kappa_interval is None
    assert agreement_of_counts([]).kappa is None


def test_an_eye_that_is_found_ungradable_counts_as_referred() -> None:
    pairs = Counter({(graded(3), graded(None)): 1, (graded(0), graded(None)): 2, (graded(None), graded(0)): 4})
    result = agreement_of_counts([pairs])
    assert (result.sensitivity.n_positive, result.sensitivity.n) == (1, 1)
    assert (result.specificity.n_positive, result.specificity.n) == (0, 2)
    assert (result.n_eyes, result.n_graded, result.n_ungradable) == (7, 0, 7)


@pytest.mark.parametrize("grade", [None, 0, 4])
@pytest.mark.parametrize("is_referable", [True, False])
def test_a_code_becomes_the_eye_again(grade: int | None, *, is_referable: bool) -> None:
    eye = GradedEye(grade, is_referable)
    assert GradedEye.from_code(eye.code) == eye


@pytest.mark.parametrize(
    ("blind", "final", "model", "change"),
    [
        (1, 1, 3, Change.NONE),
        (1, 2, 3, Change.NEARER),
        (3, 2, 2, Change.NEARER),
        (1, 0, 3, Change.FARTHER),
        (1, 3, 2, Change.OTHER),
        (None, 2, 2, Change.OTHER),
        (None, None, 2, Change.NONE),
        (1, 2, None, Change.OTHER),
    ],
)
def test_the_direction_of_a_change(blind: int | None, final: int | None, model: int | None, change: Change) -> None:
    assert direction_of_change(graded(blind), graded(final), graded(model)) is change
