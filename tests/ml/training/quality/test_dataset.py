"""Quality labels are split by patient, like the data of the grading networks."""

from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from ml.data.labels import LabelledPhoto
from ml.data.splits import TEST, TRAIN
from ml.synthetic import FundusDrawing, draw_fundus
from ml.training.quality import dataset
from ml.training.quality.dataset import FEATURES, QUALITY_SOURCES, by_name, read_photos, split_of, subsampled


def photo(source: str, patient: str, label: str = "good") -> LabelledPhoto:
    return LabelledPhoto(source, Path("x.png"), None, patient, label)


def test_a_patient_keeps_the_split_of_the_grading_set_and_others_have_one() -> None:
    known = {f"eyepacs:{i}": i % 3 for i in range(9)}
    assert [split_of(patient, known) for patient in known] == list(known.values())
    others = [split_of(f"eyepacs:unknown {i}", known) for i in range(100)]
    assert others == [split_of(f"eyepacs:unknown {i}", {}) for i in range(100)]
    assert set(others) == {0, 1, 2}


def test_only_training_photographs_without_a_label_are_subsampled() -> None:
    graded = [(photo("odir5k", str(i), "graded"), TRAIN if i < 15 else TEST) for i in range(30)]
    kept = subsampled(graded + [(photo("eyeq", str(i)), TRAIN) for i in range(30)])
    assert [split for _, split in kept] == [TRAIN] * 5 + [TEST] * 15 + [TRAIN] * 30


def test_photographs_without_label_or_field_of_view_are_left_out_and_the_rest_is_cached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for source in QUALITY_SOURCES:
        (tmp_path / source).mkdir()
        rows = "a.png,good,7\nblack.png,reject,8\nb.png,,9\n" if source == "eyeq" else "c.png,,1\n"
        (tmp_path / source / "labels.csv").write_text(f"file,quality,patient\n{rows}")
    draw_fundus(FundusDrawing(seed=1, scale=0.25)).save(tmp_path / "eyeq" / "a.png")
    Image.new("RGB", (300, 300)).save(tmp_path / "eyeq" / "black.png")
    photos = read_photos(tmp_path)
    assert [(p.quality, p.group) for p in photos[:2]] == [("good", "eyepacs:7"), ("reject", "eyepacs:8")]
    assert [(p.source, p.quality) for p in photos[2:]] == [("aptos2019", "graded"), ("odir5k", "graded")]
    grading = Mock(photos=photos[:1], splits=np.array([TEST]))
    monkeypatch.setattr(dataset, "load_dataset", lambda *_, **__: grading)
    monkeypatch.setattr(dataset, "read_photos", lambda _: photos[:2])
    measured = dataset.load_quality_set(tmp_path, tmp_path / "cache")
    (tmp_path / "eyeq" / "a.png").unlink()
    assert np.array_equal(dataset.load_quality_set(tmp_path, tmp_path / "cache").pixels, measured.pixels)
    assert measured.splits.tolist() == [TEST]  # as in the grading set
    assert measured.labels.tolist() == ["good"]
    assert measured.pixels.shape == (1, 192, 192, 3)
    assert measured.features.shape == (1, len(FEATURES))
    assert by_name(measured.defocused)["fine_contrast"] < by_name(measured.features)["fine_contrast"]
