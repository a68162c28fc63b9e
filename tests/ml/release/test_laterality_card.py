"""The card of the laterality network is the one generated from the released file, and its figures are good enough."""

import json

import pytest

from ml.release.laterality_card import LATERALITY_CARD, card_text
from ml.serving.laterality.network import DESCRIPTION, FOLDER


def test_the_card_is_generated_from_the_released_file() -> None:
    assert LATERALITY_CARD.read_text() == card_text()


@pytest.mark.parametrize("source", ["srahim", "odir5k"])
def test_it_answers_often_enough_and_is_right(source: str) -> None:
    row = json.loads((FOLDER / DESCRIPTION).read_text())["metrics"]["by_source"][source]
    assert row["right"][0] >= 0.97
    assert row["answered"][0] >= 0.85


@pytest.mark.parametrize("source", ["eyepacs", "eyepacs_test", "eyeq"])
def test_it_is_right_where_a_third_is_turned(source: str) -> None:
    assert json.loads((FOLDER / DESCRIPTION).read_text())["metrics"]["by_source"][source]["right"][0] >= 0.97
