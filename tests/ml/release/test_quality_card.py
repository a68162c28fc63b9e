"""The card of the quality gate is the one generated from the released file."""

import json
from typing import Any

from ml.release.quality_card import QUALITY_CARD, card_text, targets_table
from ml.serving.quality.gate import DESCRIPTION, FOLDER


def test_the_card_is_generated_from_the_released_file() -> None:
    assert QUALITY_CARD.read_text() == card_text()


def test_a_target_that_is_missed_has_the_word_short() -> None:
    reached = {"n": 50, "gradable": [0.35, 0.3, 0.4], "good": [0.1, 0.05, 0.2]}
    good = {"n": 50, "gradable": [0.98, 0.97, 1.0], "good": [0.88, 0.8, 0.9]}
    drimdb = {"reject": {"n": 20, "gradable": 0.3}, "negative": {"n": 8, "gradable": 0.0}}
    lines = targets_table({"good": good, "reject": reached}, drimdb).splitlines()[2:]
    assert [line.split("|")[-2].strip() for line in lines] == ["-", "2.0%", "5.0%", "-", "10.0%", "-"]


def test_the_released_gate_reaches_its_targets_on_people_that_were_not_fitted() -> None:
    metrics: dict[str, Any] = json.loads((FOLDER / DESCRIPTION).read_text())["metrics"]
    eyepacs, drimdb = metrics["eyepacs"], metrics["levels"]["drimdb"]
    assert (eyepacs["good"]["gradable"][0], eyepacs["good"]["good"][0]) >= (0.97, 0.9)
    assert eyepacs["reject"]["gradable"][0] <= 0.3
    assert eyepacs["reject"]["good"][0] <= 0.15
    assert drimdb["reject"]["gradable"] <= 0.2
    assert metrics["levels"]["idrid_masks"]["blurred by 0.3 %"]["good"] == 0
