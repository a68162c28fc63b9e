"""Metrics on sources that took no part in training reach the command line and the model cards."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from ml.bundle import Bundle, default_bundle, read_bundle
from ml.cli.main import main
from ml.release.external_validation import external_results, external_section, external_table
from ml.release.model_card import card_text


def copy_of_released(folder: Path) -> Bundle:
    return read_bundle(Path(shutil.copytree(default_bundle(), folder / default_bundle().name)))


@pytest.fixture
def without_odir(tmp_path: Path) -> Bundle:
    """A bundle whose evaluation has a source that it was not trained on."""
    bundle = copy_of_released(tmp_path / "runs")
    path = bundle.folder / "evaluation.json"
    evaluation = json.loads(path.read_text())
    evaluation["parts"]["unseen"] = {"odir5k": evaluation["parts"]["test"]["odir5k"] | {"n": 2652}}
    path.write_text(json.dumps(evaluation))
    return bundle


def test_it_tabulates_the_sources_that_a_bundle_was_not_trained_on(without_odir: Bundle) -> None:
    results = external_results([without_odir, read_bundle()])
    assert len(results) == 1  # the released bundle was trained on all sources
    n_epochs = sum(stage["epochs"] for stage in without_odir.training["stages"])  # none of them was stopped early
    line = external_table(results).splitlines()[2]
    network = f"mobilenet_v3_small, {without_odir.side_px} px, {n_epochs} epochs"
    assert line.startswith(f"| odir5k | {without_odir.model_version} | {network} | 2652 | ")


def test_stored_results_are_in_the_cards_of_the_bundles_beside_them(
    without_odir: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = copy_of_released(tmp_path / "released")
    before = card_text(bundle)
    assert "took no part" not in before
    stored = tmp_path / "released" / "external_validation.json"
    assert main(["external", str(without_odir.folder), "--output", str(stored)]) == 0
    printed = capsys.readouterr().out
    assert "odir5k" in printed
    card = card_text(bundle)
    assert printed in card
    assert "equalised copy" not in card  # EyePACS is not among the sources
    assert "The network above has seen photographs of each of them." in card
    other = bundle.training | {"stages": [{**bundle.training["stages"][-1], "sources": ["eyepacs"]}]}
    assert "has seen photographs of each" not in card_text(dataclasses.replace(bundle, training=other))
    assert "took no part" not in card_text(without_odir)  # nothing is stored beside that one


def test_it_refuses_bundles_that_were_trained_on_every_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["external", str(default_bundle())]) == 2
    assert "none has an external validation" in capsys.readouterr().err


def test_the_released_results_can_be_read() -> None:
    section = external_section(read_bundle())
    assert all(f"| {source} |" in section for source in ("aptos2019", "eyepacs", "odir5k"))
