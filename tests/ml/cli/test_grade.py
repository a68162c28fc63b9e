"""The command ``grade`` grades what it can and reports what it cannot."""

import json
from pathlib import Path

import pytest
from PIL import Image

from ml.bundle import default_bundle, read_bundle
from ml.cli.grade import as_json, as_text, write_overlay
from ml.cli.main import main
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality, QualityLevel, ServedModel
from tests.builders import make_prediction, oedema_values

NAMES = [".e.jpg", "a.jpg", "b.png", "c.jpg", "d.dcm", "f.jpg", "a.jpg"]
KEYS = ["file", "model_version", "is_gradable", "quality_level", "p_gradable", "quality_reasons"]
KEYS += ["grade", "probabilities", "p_referable", "is_referable", "is_limited_negative"]
KEYS += ["p_macular_oedema", "suspects_oedema"]
KEYS += ["laterality", "laterality_confidence", "has_writing"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    fundus = draw_fundus(drawing_for_grade(ICDRGrade.SEVERE, Laterality.LEFT, seed=2))
    fundus.save(folder / "a.jpg", quality=92)
    Image.new("RGB", (500, 400)).save(folder / "b.png")
    (folder / "c.jpg").write_text("not a photograph")
    (folder / "d.dcm").write_bytes(b"\x00" * 128 + b"DICM" + b"\x00" * 64)
    (folder / ".e.jpg").write_bytes((folder / "a.jpg").read_bytes())
    (folder / "f.jpg").write_bytes((folder / "a.jpg").read_bytes()[:5000])
    (folder / "other").mkdir()
    fundus.point(lambda v: v // 9).save(folder / "other" / "a.jpg")  # too dark
    return folder


def test_json_is_one_object_per_line_and_a_bad_file_does_not_stop_the_run(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maps = tmp_path / "maps"
    assert main(["grade", str(folder), "--json", "--include-ungradable", "--output", str(maps)]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(line["file"]).name for line in lines] == [
        ".e.jpg",
        "a.jpg",
        "b.png",
        "c.jpg",
        "d.dcm",
        "f.jpg",
        "a.jpg",
    ]
    hidden, good, black, text, dicom, bad, dark = lines
    assert "hidden" in hidden["left_out"]
    assert text["left_out"].startswith("This file is not a photograph.")
    assert dicom["error"].startswith("This DICOM file has no photograph")
    assert list(good) == list(dark) == KEYS
    assert good["is_gradable"]
    assert good["laterality"] == "OS"
    assert 0.8 < good["laterality_confidence"] < 1
    assert sum(good["probabilities"]) == pytest.approx(1, abs=1e-3)
    assert black["grade"] is None
    assert black["quality_reasons"]
    assert list(bad) == ["file", "error"]
    assert bad["error"].endswith(".")
    assert dark["grade"] is not None  # included, with its reason
    assert not dark["is_gradable"]
    assert dark["laterality"] is None
    names = {path.name for path in maps.glob("*.png")}  # of the graded photographs, both of the same name
    assert len(names) == 2
    assert "other-a.jpg.png" in names


def test_the_exit_code_is_3_if_files_were_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (500, 400)).save(tmp_path / "named-without-suffix", format="PNG")
    assert main(["grade", str(tmp_path)]) == 0
    (tmp_path / "notes.txt").write_text("left eye taken again")
    assert main(["grade", str(tmp_path)]) == 3
    (tmp_path / "link").symlink_to(tmp_path / "missing")
    assert main(["grade", str(tmp_path)]) == 3
    assert capsys.readouterr().out.count("left out") == 3
    assert main(["grade", str(tmp_path / "notes.txt")]) == 1


def test_the_exit_code_is_0_if_all_are_readable(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, maps = default_bundle().name, tmp_path / "maps"
    assert main(["grade", str(folder / "other" / "a.jpg"), str(folder / "b.png"), "--bundle", name]) == 0
    assert capsys.readouterr().out.count("cannot be graded") == 2
    assert main(["grade", str(folder / "a.jpg"), str(folder / "b.png"), "--output", str(maps)]) == 0
    assert [path.name for path in maps.glob("*.png")] == ["a.png"]  # of the graded photograph


@pytest.mark.parametrize(
    ("grade", "level", "end"),
    [
        (0, QualityLevel.GOOD, "not referable"),
        (0, QualityLevel.USABLE, "(blurred): small lesions could be missed, a person must read it"),
        (3, QualityLevel.USABLE, "referable - usable with limits (blurred)"),
        (0, QualityLevel.UNGRADABLE, "NOT GRADABLE (blurred)"),
    ],
)
def test_the_line_of_a_photograph_has_its_limits_of_quality(grade: int, level: QualityLevel, end: str) -> None:
    reasons = () if level is QualityLevel.GOOD else ("blurred",)
    prediction = make_prediction(grade, quality_level=level, quality_reasons=reasons)
    assert as_text(Path("a.jpg"), prediction).endswith(end)
    is_limited = (grade, level) == (0, QualityLevel.USABLE)
    body = json.loads(as_json(Path("a.jpg"), prediction))
    assert (body["quality_level"], body["is_limited_negative"]) == (level, is_limited)


@pytest.mark.parametrize("name", ["none.jpg", "."])
def test_a_missing_file_and_an_empty_folder_are_errors(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["grade", str(tmp_path / name), "--json"]) == 1
    output = capsys.readouterr()
    if name == ".":
        assert output.err == "error: There are no files in these folders.\n"
    else:
        assert json.loads(output.out)["error"] == "There is no such file. Check its name."


@pytest.mark.parametrize("model", [None, *ServedModel])
def test_the_model_is_chosen(folder: Path, capsys: pytest.CaptureFixture[str], model: ServedModel | None) -> None:
    assert main(["grade", str(folder / "a.jpg"), "--json", *(["--model", model] if model else [])]) == 0
    bundle = read_bundle(default_bundle(model or ServedModel.FAST))
    assert json.loads(capsys.readouterr().out)["model_version"] == bundle.model_version


def test_an_unknown_model_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["grade", str(folder / "a.jpg"), "--model", "slow"])
    assert "invalid choice 'slow'" in capsys.readouterr().err


def test_an_unknown_bundle_is_named(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grade", str(folder), "--bundle", str(tmp_path)]) == 2
    assert "bundle.json is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.9, "P(macular oedema) 0.900, suspicion of macular oedema in the photograph (which cannot exclude it)"),
        (0.1, "P(macular oedema) 0.100, no suspicion of macular oedema in the photograph (which cannot exclude it)"),
        (None, "macular oedema: not assessed, the macula is not visible"),
    ],
)
def test_a_line_has_the_suspicion_of_macular_oedema(p: float | None, text: str) -> None:
    prediction = make_prediction(0, **oedema_values(p))
    assert f"not referable, {text}" in as_text(Path("a.jpg"), prediction)
    content = json.loads(as_json(Path("a.jpg"), prediction))
    assert (content["p_macular_oedema"], content["suspects_oedema"]) == (p, None if p is None else p > 0.4)


@pytest.mark.parametrize("grade", [0, None])
def test_a_line_without_an_assessment_has_no_oedema(grade: int | None) -> None:
    prediction = make_prediction(grade)
    assert "oedema" not in as_text(Path("a.jpg"), prediction)
    content = json.loads(as_json(Path("a.jpg"), prediction))
    assert (content["p_macular_oedema"], content["suspects_oedema"]) == (None, None)


@pytest.mark.parametrize("p", [0.9, 0.1])
def test_the_heatmap_of_suspected_oedema_is_written_beside_that_of_the_grade(
    p: float, folder: Path, tmp_path: Path
) -> None:
    write_overlay(folder / "a.jpg", make_prediction(2, **oedema_values(p)), tmp_path / "a.png")
    of_oedema = tmp_path / "oedema" / "a.png"
    assert of_oedema.exists() is (p > 0.4)
    if of_oedema.exists():
        assert of_oedema.read_bytes() != (tmp_path / "a.png").read_bytes()
