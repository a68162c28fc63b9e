"""The command line grades what it can and says what it cannot."""

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

KEYS = [
    "file",
    "model_version",
    "is_gradable",
    "p_gradable",
    "quality_reasons",
    "grade",
    "probabilities",
    "p_referable",
    "is_referable",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    draw_fundus(drawing_for_grade(ICDRGrade.SEVERE, Laterality.LEFT, seed=2)).save(folder / "a.jpg", quality=92)
    Image.new("RGB", (500, 400)).save(folder / "b.png")
    (folder / "c.jpg").write_text("not a photograph")
    (folder / "notes.txt").write_text("not looked at")
    return folder


def test_json_is_one_object_a_line_and_a_bad_file_does_not_stop_the_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["grade", str(folder), "--json"]) == 1
    good, black, bad = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert list(good) == KEYS
    assert good["is_gradable"]
    assert sum(good["probabilities"]) == pytest.approx(1, abs=1e-3)
    assert black["grade"] is None
    assert black["quality_reasons"]
    assert list(bad) == ["file", "error"]
    assert bad["error"].endswith(".")


def test_all_readable_is_exit_code_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grade", str(folder / "a.jpg"), str(folder / "b.png")]) == 0
    assert "cannot be graded" in capsys.readouterr().out


def test_a_missing_file_is_an_error_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grade", str(tmp_path / "none.jpg"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "There is no such file. Check its name."


def test_a_file_that_may_not_be_read_is_not_called_damaged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", refused)
    with pytest.raises(GradingError, match="permissions"):
        decode(folder / "a.jpg", min_side_px=64)


def test_even_if_ungradable_gives_a_grade_and_keeps_the_reason(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Image.open(folder / "a.jpg") as image:
        image.point(lambda v: v // 9).save(tmp_path / "dark.jpg")
    main(["grade", str(tmp_path / "dark.jpg"), "--json"])
    main(["grade", str(tmp_path / "dark.jpg"), "--json", "--even-if-ungradable"])
    plain, insisted = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert plain["grade"] is None
    assert insisted["grade"] is not None
    assert not insisted["is_gradable"]


def test_heatmaps_are_written_for_graded_photographs_only(folder: Path, tmp_path: Path) -> None:
    main(["grade", str(folder), "--heatmap", str(tmp_path / "maps")])
    assert [p.name for p in (tmp_path / "maps").iterdir()] == ["a.png"]


def test_photographs_of_one_name_keep_their_own_heatmaps(folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jpg").write_bytes((folder / "a.jpg").read_bytes())
    main(["grade", str(tmp_path), "--heatmap", str(tmp_path / "maps")])
    assert len(list((tmp_path / "maps").iterdir())) == 2


def test_an_unknown_bundle_is_named(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grade", str(folder), "--bundle", str(tmp_path)]) == 2
    assert "bundle.json is missing" in capsys.readouterr().err


def test_the_heat_lies_where_the_box_says() -> None:
    heat = np.zeros((7, 7), np.float32)
    heat[0, 0] = 1
    layer = np.asarray(heatmap_layer(heat, (0.5, 0.0, 1.0, 1.0), size_px=(200, 100)))
    assert layer.shape == (100, 200, 4)
    y, x = np.unravel_index(layer[..., 3].argmax(), (100, 200))
    assert 95 <= x <= 120
    assert y <= 20
    assert layer[:, :95, 3].max() == 0


def test_a_blank_map_leaves_the_photograph_as_it_is() -> None:
    photo = Image.new("RGB", (60, 40), (180, 90, 50))
    assert overlay(photo, np.zeros((7, 7), np.float32), (0, -0.2, 1, 1.2)).tobytes() == photo.tobytes()


def test_half_of_the_scale_is_seen_and_what_is_faint_is_not() -> None:
    photo = Image.new("RGB", (60, 40), (180, 90, 50))
    faint, half = (np.full((7, 7), value, np.float32) for value in (0.05, 0.5))
    assert overlay(photo, faint, (0, 0, 1, 1)).tobytes() == photo.tobytes()
    red, _, blue = overlay(photo, half, (0, 0, 1, 1)).getpixel((30, 20))  # type: ignore[misc]
    assert blue > 120 > red


def test_the_browser_and_the_command_line_paint_in_the_same_colours() -> None:
    script = (Path(__file__).parents[3] / "static" / "heatmap.js").read_text()
    table = script.partition("const ANCHORS = [")[2].partition("];")[0]
    rows = re.findall(r"\[([\d., ]+)\]", table)
    assert [tuple(float(number) for number in row.split(",")) for row in rows] == [tuple(a) for a in ANCHORS]
