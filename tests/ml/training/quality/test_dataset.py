"""Quality labels are split by patient, like the data of the grading networks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from ml.data.labels import LabelledPhoto
from ml.data.splits import TEST, TRAIN
from ml.synthetic import FundusDrawing, draw_fundus
from ml.training.quality.dataset import QUALITY_SOURCES, load_quality_set, read_photos, splits_of, subsampled
from tests.ml.toys import toy_dataset


def photo(source: str, patient: str, label: str = "good") -> LabelledPhoto:
    return LabelledPhoto(source, Path("x.png"), None, patient, label)


def test_a_patient_keeps_the_split_of_the_grading_set_and_others_have_one() -> None:
    grading = replace(toy_dataset(9), splits=np.arange(9, dtype=np.int8) % 3)
    known = [f"eyepacs:{i}" for i in range(9)]
    unknown = [f"eyepacs:unknown {i // 2}" for i in range(200)]
    splits = splits_of([photo("eyeq", patient) for patient in known + unknown], grading, known)
    assert splits[:9].tolist() == grading.splits.tolist()
    others = splits[9:]
    assert (others[::2] == others[1::2]).all()
    assert set(others.tolist()) == {0, 1, 2}


def test_only_training_photographs_without_a_label_are_subsampled() -> None:
    photos = [photo("odir5k", str(i), "graded") for i in range(30)] + [photo("eyeq", str(i)) for i in range(30)]
    splits = np.array([TRAIN] * 15 + [TEST] * 15 + [TRAIN] * 30, np.int8)
    kept, kept_splits = subsampled(photos, splits)
    assert len(kept) == len(kept_splits) == 5 + 15 + 30


def test_photographs_without_label_or_field_of_view_are_left_out_and_the_rest_is_cropped_once(tmp_path: Path) -> None:
    for source in QUALITY_SOURCES:
        (tmp_path / source).mkdir()
        rows = "a.png,good,7\nblack.png,reject,8\nb.png,,9\n" if source == "eyeq" else "c.png,,1\n"
        (tmp_path / source / "labels.csv").write_text(f"file,quality,patient\n{rows}")
    draw_fundus(FundusDrawing(seed=1, scale=0.25)).save(tmp_path / "eyeq" / "a.png")
    Image.new("RGB", (300, 300)).save(tmp_path / "eyeq" / "black.png")
    photos = read_photos(tmp_path)
    assert [(p.quality, p.group) for p in photos[:2]] == [("good", "eyepacs:7"), ("reject", "eyepacs:8")]
    assert [(p.source, p.quality) for p in photos[2:]] == [("aptos2019", "graded"), ("odir5k", "graded")]
    first = load_quality_set(photos[:2], np.zeros(2, np.int8), cache=tmp_path / "cache")
    assert first.labels.tolist() == ["good"]
    assert first.pixels.shape == (1, 192, 192, 3)
    assert np.isfinite(first.features).all()
    (tmp_path / "eyeq" / "a.png").unlink()
    again = load_quality_set(photos[:2], np.zeros(2, np.int8), cache=tmp_path / "cache")
    assert np.array_equal(first.pixels, again.pixels)
