"""``prepare`` fills the cache and reports what is wrong with the photographs."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from ml.cli.main import main
from ml.data.cache import FundusDataset, load_dataset
from ml.data.cropping import crop
from ml.data.preparation import default_folders, inspect, prepare_data
from ml.data.tables import LabelError
from tests.ml.data.builders import N_PATIENTS, spotted
from tests.ml.data.layouts import LAYOUTS, write

SIDE_PX = 48


@pytest.fixture(scope="module")
def prepared(clinic: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[FundusDataset, Path]:
    """The data set and the folder of its cache, with a report in it."""
    cache = tmp_path_factory.mktemp("cache")
    prepare_data(clinic.parent, sources=None, side_px=SIDE_PX, cache=cache)
    dataset = load_dataset([clinic], side_px=SIDE_PX, cache=cache)
    return dataset, cache


def test_labels_belong_to_the_pixels(prepared: tuple[FundusDataset, Path]) -> None:
    dataset, _ = prepared
    assert len(dataset.photos) == len(dataset.grades) == 2 * N_PATIENTS - 3
    for i, photo in enumerate(dataset.photos):
        assert (photo.grade, photo.source) == (dataset.grades[i], dataset.sources[i])
        pixels = crop(photo.path, side_px=SIDE_PX).pixels
        assert pixels is not None
        assert np.array_equal(pixels, dataset.pixels[np.array([i])][0])
    assert {photo.eye for photo in dataset.photos} == {"left", "right"}


def test_the_report_names_every_fault(prepared: tuple[FundusDataset, Path]) -> None:
    _, cache_dir = prepared
    report = json.loads((cache_dir / "report.json").read_text())
    assert sum(sum(grades) for grades in report["counts"]["clinic"].values()) == 2 * N_PATIENTS - 3
    assert report["no_retina"] == ["clinic/train/22_left.png"]
    assert set(report["unreadable"]) == {"clinic/train/20_left.png", "clinic/train/21_left.jpeg"}
    assert "missing" in report["unreadable"]["clinic/train/21_left.jpeg"]
    same_file = {"clinic/train/3_left.png", "clinic/train/11_right.png"}
    smaller = {"clinic/train/4_left.png", "clinic/train/9_left.jpeg"}
    assert sorted(map(sorted, report["duplicates"])) == sorted(map(sorted, [same_file, smaller]))
    assert report["conflicts"] == [{"clinic/train/3_left.png": 3, "clinic/train/11_right.png": 1}]
    text = (cache_dir / "report.md").read_text()
    assert "## Duplicates with different grades: 1" in text
    assert "clinic/train/20_left.png: This file is not" in text


def test_patients_who_share_a_duplicate_are_in_one_split(prepared: tuple[FundusDataset, Path]) -> None:
    dataset, _ = prepared
    split = {photo.path.stem: int(s) for photo, s in zip(dataset.photos, dataset.splits, strict=True)}
    assert split["3_right"] == split["3_left"] == split["11_right"] == split["11_left"]
    assert split["4_right"] == split["9_right"]


def test_a_leak_stops_the_report(prepared: tuple[FundusDataset, Path]) -> None:
    dataset, _ = prepared
    splits = dataset.splits.copy()
    splits[0] = (splits[0] + 1) % 3
    with pytest.raises(ValueError, match="two splits"):
        inspect(dataclasses.replace(dataset, splits=splits), dataset.photos)


def test_photographs_without_a_grade_are_counted_and_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "ddr" / "DR_grading" / "train"
    folder.mkdir(parents=True)
    for i, name in enumerate("abcd"):
        spotted(100 + i).save(folder / f"{name}.jpg")
    (folder.parent / "train.txt").write_text("a.jpg 0\nb.jpg 5\nc.jpg 0\nd.jpg 0\n")
    text = prepare_data(tmp_path, sources=["ddr"], side_px=SIDE_PX, cache=tmp_path / "cache")
    assert "Left out because they have no grade: ddr 1." in text


def test_the_default_sources_come_first_and_a_folder_without_data_sets_is_refused(tmp_path: Path) -> None:
    (tmp_path / "another").mkdir()
    with pytest.raises(LabelError, match="no data set of a known layout"):
        default_folders(tmp_path)
    for name in ("odir5k", "aptos2019"):
        (tmp_path / name).mkdir()
    assert [folder.name for folder in default_folders(tmp_path)] == ["aptos2019", "odir5k"]


def test_the_command_prints_the_report(clinic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--cache", str(tmp_path / "cache"), "--cache-size", "64", "--workers", "1"]
    assert main(["prepare", "--data", str(clinic.parent), *options]) == 0
    assert "| clinic   | train " in capsys.readouterr().out


def test_the_command_names_the_wrong_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "clinic", LAYOUTS["EyePACS"] | {"trainLabels.csv": "image,level\n10_left,0\n10_right,9"})
    assert main(["prepare", "--data", str(tmp_path), "--cache", str(tmp_path / "cache")]) == 2
    assert "trainLabels.csv, line 3: grade '9'" in capsys.readouterr().err
