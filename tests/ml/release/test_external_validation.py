"""Metrics on sources that took no part in training reach the command line and the model cards."""

import dataclasses
import json

import pytest

from ml.bundle import Bundle, default_bundle, read_bundle
from ml.cli.main import main
from ml.release.external_validation import external_section
from ml.release.model_card import card_text


@pytest.fixture
def without_odir(bundle_copy: Bundle) -> Bundle:
    """A bundle whose evaluation has a source that it was not trained on."""
    path = bundle_copy.folder / "evaluation.json"
    evaluation = json.loads(path.read_text())
    evaluation["splits"]["external"] = {"odir5k": evaluation["splits"]["test"]["odir5k"] | {"n": 2652}}
    path.write_text(json.dumps(evaluation))
    return bundle_copy


def test_stored_results_are_in_the_cards_of_the_bundles_beside_them(
    without_odir: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, stored = without_odir, without_odir.folder.parent / "external_validation.json"
    assert "External validation" not in card_text(bundle)
    assert main(["external", str(bundle.folder), str(default_bundle()), "--output", str(stored)]) == 0
    printed = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in printed.splitlines()]
    assert rows[0] == ["source left out", "odir5k"]  # the default bundle was trained on all sources
    assert rows[2:4] == [["model", bundle.model_version], ["network", bundle.architecture]]
    assert ["photographs", "2652"] in rows
    card = card_text(bundle)
    assert printed in card
    assert "equalised copy" not in card.split("### External validation")[1]  # EyePACS is not among the sources
    assert "was trained on photographs of each of these sources" in card.replace("\n", " ")
    other = bundle.training | {"stages": [{**bundle.training["stages"][-1], "sources": ["eyepacs"]}]}
    assert "of each of these sources" not in card_text(dataclasses.replace(bundle, training=other)).replace("\n", " ")


def test_it_refuses_bundles_that_were_trained_on_every_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["external", str(default_bundle())]) == 2
    assert "none has an external validation" in capsys.readouterr().err


def test_the_released_results_can_be_read() -> None:
    section = external_section(read_bundle())
    assert section
    assert section["sources"] == {"aptos2019", "eyepacs", "odir5k", "messidor2", "idrid", "srahim"}
    assert section["is_trained_on"]
