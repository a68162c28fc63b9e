"""Quality labels are split by patient, like the data of the grading networks."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from ml.data.cache import FundusDataset
from ml.data.labels import LabelledPhoto
from ml.data.splits import TEST, TRAIN
from ml.synthetic import FundusDrawing, draw_fundus
from ml.training.quality.dataset import QUALITY_SOURCES, load_quality_set, read_photos, splits_of, subsampled


def photo(source: str, patient: str, label: str = "good") -> LabelledPhoto:
    return LabelledPhoto(source, Path("x.png"), None, patient, label)


def grading_set(splits: list[int]) -> FundusDataset:
    n = len(splits)
    return FundusDataset(
        pixels=np.zeros((n, 8, 8, 3), np.uint8), grades=np.zeros(n, np.int64), sources=np.array(["eyepacs"] * n),
        groups=np.array([str(i) for i in range(n)]), splits=np.array(splits, np.int8), files=["x"] * n,
        n_duplicates=0, n_without_retina=0,
    )  # fmt: skip


def test_a_patient_keeps_the_split_of_the_grading_set() -> None:
    patients = [f"eyepacs:{i}" for i in range(3)]
    splits = splits_of([photo("eyeq", patient) for patient in patients], grading_set([2, 1, 0]), patients)
    assert splits.tolist() == [2, 1, 0]


def test_both_eyes_of_an_unknown_patient_are_in_one_split() -> None:
    splits = splits_of([photo("eyeq", f"eyepacs:{i // 2}") for i in range(200)], grading_set([]), [])
    assert (splits[::2] == splits[1::2]).all()
    assert set(splits.tolist()) == {0, 1, 2}


def test_only_training_photographs_without_a_label_are_subsampled() -> None:
    photos = [photo("odir5k", str(i), "graded") for i in range(30)] + [photo("eyeq", str(i)) for i in range(30)]
    splits = np.array([TRAIN] * 15 + [TEST] * 15 + [TRAIN] * 30, np.int8)
    kept, kept_splits = subsampled(photos, splits)
    assert len(kept) == len(kept_splits) == 5 + 15 + 30


def test_photographs_without_label_or_field_of_view_are_left_out_and_the_rest_is_cropped_once(tmp_path: Path) -> None:
    for source in QUALITY_SOURCES:
        (tmp_path / source).mkdir()
        rows = [("a.png", "good", 7), ("black.png", "reject", 8), ("b.png", "", 9)] if source == "eyeq" else []
        with (tmp_path / source / "labels.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("file", "quality", "patient"), *rows])
    draw_fundus(FundusDrawing(seed=1, scale=0.25)).save(tmp_path / "eyeq" / "a.png")
    Image.new("RGB", (300, 300)).save(tmp_path / "eyeq" / "black.png")
    photos = read_photos(tmp_path)
    assert [(p.quality, p.group) for p in photos] == [("good", "eyepacs:7"), ("reject", "eyepacs:8")]
    first = load_quality_set(photos, np.zeros(2, np.int8), cache=tmp_path / "cache")
    assert first.labels.tolist() == ["good"]
    assert first.pixels.shape == (1, 192, 192, 3)
    assert np.isfinite(first.features).all()
    (tmp_path / "eyeq" / "a.png").unlink()
    again = load_quality_set(photos, np.zeros(2, np.int8), cache=tmp_path / "cache")
    assert np.array_equal(first.pixels, again.pixels)


def test_a_photograph_of_a_source_without_quality_labels_is_graded(tmp_path: Path) -> None:
    for source in QUALITY_SOURCES:
        (tmp_path / source).mkdir()
        (tmp_path / source / "labels.csv").write_text("file,grade,quality\na.png,2,\n")
    assert [(p.source, p.quality) for p in read_photos(tmp_path)] == [("aptos2019", "graded"), ("odir5k", "graded")]
