"""Texts of a comparison of two models."""

from screening.labels.paired_models import difference_text, p_text
from screening.policy.paired_models import Difference


def test_differences_have_a_sign_and_their_interval() -> None:
    assert difference_text(Difference(-0.026, (-0.158, 0.1)), is_percent=True) == "−2.6 (−15.8 to +10.0)"
    assert difference_text(Difference(0.35, None), is_percent=False) == "+0.35"
    assert difference_text(Difference(None, None), is_percent=True) == "–"


def test_a_small_p_is_not_zero() -> None:
    assert [p_text(p) for p in (0.0, 0.0009, 0.031, 1.0)] == ["< 0.001", "< 0.001", "0.031", "1.000"]
