"""The command ``grade`` grades what it can and reports what it cannot."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml.cli.main import main
from ml.errors import GradingError
from ml.serving.heatmap_overlay import ANCHORS, heatmap_layer, overlay
from ml.serving.preprocess import decode
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality

KEYS = ["file", "model_version", "is_gradable", "p_gradable", "quality_reasons"]
KEYS += ["grade", "probabilities", "p_referable", "is_referable"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    fundus = draw_fundus(drawing_for_grade(ICDRGrade.SEVERE, Laterality.LEFT, seed=2))
    fundus.save(folder / "a.jpg", quality=92)
    Image.new("RGB", (500, 400)).save(folder / "b.png")
    (folder / "c.jpg").write_text("not a photograph")
    (folder / "notes.txt").write_text("not a suffix of photographs")
    (folder / "other").mkdir()
    fundus.point(lambda v: v // 9).save(folder / "other" / "a.jpg")  # too dark
    return folder


def test_json_is_one_object_per_line_and_a_bad_file_does_not_stop_the_run(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maps = tmp_path / "maps"
    assert main(["grade", str(folder), "--json", "--include-ungradable", "--output", str(maps)]) == 1
    good, black, bad, dark = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert list(good) == list(dark) == KEYS
    assert good["is_gradable"]
    assert sum(good["probabilities"]) == pytest.approx(1, abs=1e-3)
    assert black["grade"] is None
    assert black["quality_reasons"]
    assert list(bad) == ["file", "error"]
    assert bad["error"].endswith(".")
    assert dark["grade"] is not None  # included, with its reason
    assert not dark["is_gradable"]
    names = {path.name for path in maps.iterdir()}  # of the graded photographs, both of the same name
    assert len(names) == 2
    assert "other-a.jpg.png" in names


def test_the_exit_code_is_0_if_all_are_readable(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grade", str(folder / "other" / "a.jpg"), str(folder / "b.png")]) == 0
    assert capsys.readouterr().out.count("cannot be graded") == 2


@pytest.mark.parametrize("name", ["none.jpg", "."])
def test_a_missing_file_and_an_empty_folder_are_errors(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["grade", str(tmp_path / name), "--json"]) == 1
    output = capsys.readouterr()
    if name == ".":
        assert output.err == "error: There are no photographs in these folders.\n"
    else:
        assert json.loads(output.out)["error"] == "There is no such file. Check its name."


def test_a_file_that_may_not_be_read_is_not_called_damaged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(GradingError, match="permissions"):
        decode(folder / "a.jpg", min_side_px=64)


def test_an_unknown_bundle_is_named(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grade", str(folder), "--bundle", str(tmp_path)]) == 2
    assert "bundle.json is missing" in capsys.readouterr().err


def test_the_heatmap_lies_in_its_box() -> None:
    heatmap = np.zeros((7, 7), np.float32)
    heatmap[0, 0] = 1
    layer = np.asarray(heatmap_layer(heatmap, (0.5, 0.0, 1.0, 1.0), size_px=(200, 100)))
    assert layer.shape == (100, 200, 4)
    y, x = np.unravel_index(layer[..., 3].argmax(), (100, 200))
    assert 95 <= x <= 120
    assert y <= 20
    assert layer[:, :95, 3].max() == 0


def test_only_evidence_that_is_not_faint_is_visible() -> None:
    photo = Image.new("RGB", (60, 40), (180, 90, 50))
    blank, faint, half = (np.full((7, 7), value, np.float32) for value in (0, 0.05, 0.5))
    assert overlay(photo, blank, (0, -0.2, 1, 1.2)).tobytes() == photo.tobytes()
    assert overlay(photo, faint, (0, 0, 1, 1)).tobytes() == photo.tobytes()
    red, _, blue = overlay(photo, half, (0, 0, 1, 1)).getpixel((30, 20))  # type: ignore[misc]  # three channels
    assert blue > 120 > red


def test_the_browser_and_the_command_line_use_the_same_colours() -> None:
    script = (Path(__file__).parents[3] / "static" / "heatmap.js").read_text()
    table = script.partition("const ANCHORS = [")[2].partition("];")[0]
    rows = re.findall(r"\[([\d., ]+)\]", table)
    assert [tuple(float(number) for number in row.split(",")) for row in rows] == [tuple(a) for a in ANCHORS]
