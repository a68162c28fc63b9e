"""Quality labels are split by patient, like the data of the grading networks; copies are blurred by fractions."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml.data import splits
from ml.data.labels import LabelledPhoto
from ml.data.splits import TEST, TRAIN
from ml.data.tables import LabelError
from ml.synthetic import FundusDrawing, draw_fundus
from ml.training.quality import dataset
from ml.training.quality.dataset import FEATURES, SHARPNESS, by_name, measure, with_copies
from ml.training.quality.sources import (
    N_DRIMDB_TRAINING,
    OTHER_SOURCES,
    QUALITY_SOURCES,
    read_drimdb,
    read_photos,
    split_of,
    subsampled,
    with_splits,
)


def photo(source: str, patient: str, label: str = "good", path: str = "x.png") -> LabelledPhoto:
    return LabelledPhoto(source, Path(path), None, patient, label)


def test_a_patient_keeps_the_split_of_the_grading_set_and_others_have_one() -> None:
    known = {f"eyepacs:{i}": i % 3 for i in range(9)}
    assert [split_of(patient, known) for patient in known] == list(known.values())
    others = [split_of(f"eyepacs:unknown {i}", known) for i in range(100)]
    assert others == [split_of(f"eyepacs:unknown {i}", {}) for i in range(100)]
    assert set(others) == {0, 1, 2}


def test_held_out_sources_are_for_the_test_alone() -> None:
    photos = [photo(source, str(i)) for i in range(40) for source in ("idrid", "idrid_masks", "eyepacs_test", "eyeq")]
    splits: dict[str, set[int]] = {p.source: set() for p in photos}
    for each, split in with_splits(photos, {}):
        splits[each.source].add(split)
    assert splits == {"idrid": {TEST}, "idrid_masks": {TEST}, "eyepacs_test": {TEST}, "eyeq": {0, 1, 2}}


def test_only_training_photographs_without_a_label_are_subsampled() -> None:
    graded = [(photo("odir5k", str(i), "graded"), TRAIN if i < 15 else TEST) for i in range(30)]
    kept = subsampled(graded + [(photo("eyeq", str(i)), TRAIN) for i in range(30)])
    assert [split for _, split in kept] == [TRAIN] * 5 + [TEST] * 15 + [TRAIN] * 30


def test_half_of_drimdb_is_kept_back_by_number(tmp_path: Path) -> None:
    folder = tmp_path / "drimdb"
    folder.mkdir()
    rows = [f"images/drimdb_bad ({number}).jpg,bad" for number in range(45, 0, -1)]
    (folder / "labels.csv").write_text("\n".join(["file,quality", *rows, "images/o (3).jpg,outlier"]))
    photos = read_drimdb(tmp_path)
    trained = [p.path.name for p, split in photos if split == TRAIN and p.quality == "reject"]
    assert trained == [f"drimdb_bad ({number}).jpg" for number in range(1, N_DRIMDB_TRAINING["bad"] + 1)]
    assert [p.quality for p, _ in photos if p.path.name.startswith("o ")] == ["negative"]
    (folder / "labels.csv").write_text("file,quality\nimages/a (1).jpg,fair\n")
    with pytest.raises(LabelError, match="line 2"):
        read_drimdb(tmp_path)


def write_sources(folder: Path) -> None:
    for source in (*QUALITY_SOURCES, *OTHER_SOURCES, "eyepacs_test"):
        (folder / source).mkdir()
        rows = "a.png,good,7\nblack.png,reject,8\nb.png,,9\n" if source == "eyeq" else "c.png,,1\n"
        (folder / source / "labels.csv").write_text(f"file,quality,patient\n{rows}")
    draw_fundus(FundusDrawing(seed=1, scale=0.4)).save(folder / "eyeq" / "a.png")
    Image.new("RGB", (300, 300)).save(folder / "eyeq" / "black.png")


def test_photographs_without_label_or_field_of_view_are_left_out_and_the_rest_is_cached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sources(tmp_path)
    photos = read_photos(tmp_path)
    assert [(p.quality, p.group) for p in photos[:2]] == [("good", "eyepacs:7"), ("reject", "eyepacs:8")]
    assert [(p.source, p.quality) for p in photos[2:]] == [
        (source, "graded") for source in ("aptos2019", "odir5k", *OTHER_SOURCES)
    ]
    monkeypatch.setattr(dataset, "GRADING_SOURCES", ("eyeq",))
    monkeypatch.setattr(splits, "held_out", lambda: {"eyeq": {"a": TEST}})
    monkeypatch.setattr(dataset, "read_photos", lambda _: photos[:2])
    monkeypatch.setattr(dataset, "read_drimdb", lambda _: [])
    measured = dataset.load_quality_set(tmp_path, tmp_path / "cache")
    (tmp_path / "eyeq" / "a.png").unlink()
    assert np.array_equal(dataset.load_quality_set(tmp_path, tmp_path / "cache").pixels, measured.pixels)
    assert measured.splits.tolist() == [TEST] * 3  # as in the list, also of the copies
    assert measured.labels.tolist() == ["good", "soft", "blurred" if measured.sigmas[2] >= 0.01 else "soft"]
    assert measured.pixels.shape == (3, 192, 192, 3)
    assert (measured.features.shape, measured.sharpness.shape) == ((3, len(FEATURES)), (3, len(SHARPNESS)))
    assert measured.originals().labels.tolist() == ["good"]


def test_copies_are_less_sharp_and_a_small_field_has_none(tmp_path: Path) -> None:
    for name, scale in (("large.png", 0.5), ("small.png", 0.15)):
        draw_fundus(FundusDrawing(seed=1, scale=scale)).save(tmp_path / name)
    photos = [(photo("eyepacs", name, path=str(tmp_path / name)), TRAIN) for name in ("large.png", "small.png")]
    measured = measure(with_copies(photos))
    assert measured.patients.tolist() == ["large.png"] * 3 + ["small.png"]
    assert measured.sigmas[[0, 1, 3]].tolist() == [0.0, 0.003, 0.0]
    slopes = by_name(measured.sharpness, SHARPNESS)["slope_fine_coarse"]
    assert slopes[0] > slopes[1] > slopes[2]
    assert np.isnan(slopes[3])
