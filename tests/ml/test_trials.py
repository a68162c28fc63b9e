"""What was tried reaches the cards and reports of the bundles beside it, number for number."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from ml.ablation import ablation_table, outcomes_of
from ml.bundle import BUNDLES, Bundle, default_bundle, read_bundle
from ml.cli.main import main
from ml.release.model_card import card_text
from ml.training.config import Distillation
from ml.trials import ABLATION, LEFT_OUT, ablation_section, left_out_rows, left_out_section, left_out_table
from tests.ml.test_ablation import finished
from tests.ml.toys import toy_config


def copy_of_released(folder: Path) -> Bundle:
    return read_bundle(Path(shutil.copytree(default_bundle(), folder / default_bundle().name)))


@pytest.fixture
def without_odir(tmp_path: Path) -> Bundle:
    """A bundle whose evaluation tells of a source that it was not trained on."""
    bundle = copy_of_released(tmp_path / "runs")
    path = bundle.folder / "evaluation.json"
    evaluation = json.loads(path.read_text())
    evaluation["parts"]["unseen"] = {"odir5k": evaluation["parts"]["test"]["odir5k"] | {"n": 2652}}
    path.write_text(json.dumps(evaluation))
    return bundle


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    taught = toy_config(n_epochs=1, distillation=Distillation(teacher="teacher", temperature=4.0))
    return [
        finished(tmp_path / "alone", toy_config(n_epochs=1), 0.5),
        finished(tmp_path / "taught", taught, 0.625),
    ]


def test_sources_left_out_of_training_have_a_table_of_their_own(without_odir: Bundle) -> None:
    rows = left_out_rows([without_odir, read_bundle()])
    assert len(rows) == 1  # the released bundle was trained on all sources
    n_epochs = sum(stage["n_epochs"] for stage in without_odir.training["stages"])  # none of them was stopped early
    line = left_out_table(rows).splitlines()[2]
    network = f"mobilenet_v3_small, {without_odir.side_px} px, {n_epochs} epochs"
    assert line.startswith(f"| odir5k | {without_odir.model_version} | {network} | 2652 | ")


def test_kept_figures_of_left_out_sources_are_in_the_cards_of_the_bundles_beside_them(
    without_odir: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = copy_of_released(tmp_path / "released")
    before = card_text(bundle)
    assert "took no part" not in before
    assert main(["table", "--left-out", str(without_odir.folder), "--keep", str(tmp_path / "released")]) == 0
    printed = capsys.readouterr().out
    assert "odir5k" in printed
    card = card_text(bundle)
    assert printed in card
    assert "equalised copy" not in card  # EyePACS is not among the sources
    assert "The network above has seen photographs of each of them." in card
    other = bundle.training | {"stages": [{**bundle.training["stages"][-1], "sources": ["eyepacs"]}]}
    assert "has seen photographs of each" not in card_text(dataclasses.replace(bundle, training=other))
    assert "took no part" not in card_text(without_odir)  # nothing is kept beside that one


def test_a_kept_ablation_is_the_table_that_was_printed(
    runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ablation_section(tmp_path) == ""
    assert main(["ablation", *map(str, runs), "--keep", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    section = ablation_section(tmp_path)
    assert printed in section
    assert f"share: architecture {toy_config().architecture}, " in section
    assert "n epochs 1" in section
    assert "temperature 4.0" in section.split("that had a teacher: ")[1].split(".\n")[0]
    assert ablation_table(outcomes_of(runs)) == printed


def test_tables_are_only_printed_unless_they_are_to_be_kept(runs: list[Path], without_odir: Bundle) -> None:
    released = {path: path.read_bytes() for path in BUNDLES.glob("*.json")}
    assert main(["ablation", *map(str, runs)]) == 0
    assert main(["table", "--left-out", str(without_odir.folder)]) == 0
    assert {path: path.read_bytes() for path in BUNDLES.glob("*.json")} == released


def test_keep_says_where_it_cannot(
    runs: list[Path], without_odir: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left_out = ["table", "--left-out"]
    for command, message in (
        (["ablation", *map(str, runs), "--keep", str(tmp_path / "nowhere")], "nowhere is not a folder"),
        (["ablation", "--keep", *map(str, runs)], "alone is a run and would not be read as one"),
        ([*left_out, str(without_odir.folder), "--keep", str(tmp_path / "nowhere")], "nowhere is not a folder"),
        ([*left_out, str(default_bundle()), "--keep", str(tmp_path)], "there is nothing to keep"),
        (["table", "--keep", str(tmp_path)], "--keep goes with --left-out"),
    ):
        assert main(command) == 2
        output = capsys.readouterr()
        assert output.err.startswith("error: ")
        assert message in output.err
        assert output.out == ""
    assert not list(tmp_path.glob("*.json"))


def test_what_is_kept_of_the_release_can_be_read() -> None:
    assert {path.name for path in BUNDLES.glob("*.json")} == {ABLATION, LEFT_OUT}
    assert "| yes |" in ablation_section(BUNDLES)
    assert all(f"| {source} |" in left_out_section(read_bundle()) for source in ("aptos2019", "eyepacs", "odir5k"))
