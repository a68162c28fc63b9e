"""The card of the quality gate is the one generated from the released file."""

import json

from ml.release.quality_card import QUALITY_CARD, card_text
from ml.serving.quality.gate import DESCRIPTION, FOLDER


def test_the_card_is_generated_from_the_released_file() -> None:
    assert QUALITY_CARD.read_text() == card_text()


def test_the_fusion_is_better_than_the_rules_on_the_test_split() -> None:
    measured = json.loads((FOLDER / DESCRIPTION).read_text())["metrics"]["eyeq_test"]
    assert measured["auc_gain"][1] > 0
    assert measured["rejects_accepted_fusion"][0] < measured["rejects_accepted_rules"][0]
