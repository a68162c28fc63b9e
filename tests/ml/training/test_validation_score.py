"""What the best epoch is chosen by: the worst clinic counts, and a small one does not decide by its noise."""

from ml.data.labels import EQUALIZED_SOURCE
from ml.training.trainer import validation_score

Figures = dict[str, dict[str, float]]


def figures(*, n: int = 100, **of_a_clinic: float) -> Figures:
    """Two clinics alike, but for what is said of the second."""
    alike = {"n": 300, "kappa": 0.7, "auc": 0.9}
    return {"a": alike, "b": alike | {"n": n} | of_a_clinic}


def test_the_clinic_that_is_graded_worst_counts_more_than_the_mean() -> None:
    even = {"a": {"n": 300, "kappa": 0.7, "auc": 0.85}, "b": {"n": 300, "kappa": 0.7, "auc": 0.85}}
    assert validation_score(figures(auc=0.8)) < validation_score(even)


def test_a_better_kappa_is_a_better_score() -> None:
    assert validation_score(figures(kappa=0.6)) < validation_score(figures(kappa=0.7))


def test_the_kappa_of_a_small_clinic_moves_the_score_less() -> None:
    large = validation_score(figures(n=300)) - validation_score(figures(n=300, kappa=0.5))
    small = validation_score(figures(n=30)) - validation_score(figures(n=30, kappa=0.5))
    assert 0 < small < large


def test_colours_that_no_camera_makes_cannot_be_the_worst() -> None:
    unnatural: Figures = {EQUALIZED_SOURCE: {"n": 300, "kappa": 0.7, "auc": 0.5}}
    assert validation_score(figures() | unnatural) > validation_score(figures() | {"c": unnatural[EQUALIZED_SOURCE]})
