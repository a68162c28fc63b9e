"""Visual acuity in the ways in which it is written."""

import pytest

from screening.policy.acuity import AcuityError, logmar_of


@pytest.mark.parametrize(
    ("text", "logmar"),
    [
        ("6/6", 0.0), ("6/12", 0.30), ("6/60", 1.0), ("6/4.8", -0.1), ("20/40", 0.30), (" 20 / 20 ", 0.0),
        ("1.0", 0.0), ("0.5", 0.30), ("0,5", 0.30), ("1", 0.0), ("logMAR 0.3", 0.3), ("LogMAR -0.1", -0.1),
        ("CF", 1.85), ("hm", 2.3), ("NPL", 3.0),
    ],
)  # fmt: skip
def test_an_acuity_is_converted(text: str, logmar: float) -> None:
    assert logmar_of(text) == pytest.approx(logmar, abs=0.005)


@pytest.mark.parametrize("text", ["", "6", "6/0", "0", "12/6", "7/12", "6/1", "logMAR 4", "good", "-0.3", "6/12 6/9"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(AcuityError):
        logmar_of(text)
