"""The trial of fewer bits: every variant is a smaller network that says nearly the same."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml import precision_trial
from ml.bundle import BUNDLES, Bundle, read_bundle
from ml.data.cache import FundusDataset
from ml.errors import BundleError
from ml.precision_trial import accuracy_table, open_session, report, store_variants, time_all
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.vocabulary import ICDRGrade, Laterality


@pytest.fixture(scope="module")
def retinas() -> FundusDataset:
    grades = [grade for grade in ICDRGrade for _ in range(2)]
    eyes = [draw_fundus(drawing_for_grade(g, Laterality.RIGHT, i)).resize((320, 320)) for i, g in enumerate(grades)]
    n = len(grades)
    return FundusDataset(
        pixels=np.stack([np.asarray(eye) for eye in eyes]), grades=np.array(grades, np.int64),
        sources=np.array(["odir5k"] * n), groups=np.array([str(i) for i in range(n)]),
        splits=np.array([0, 1] * (n // 2), np.int8), files=["x"] * n, n_duplicates=0, n_without_retina=0,
    )  # fmt: skip


def full_precision() -> Bundle:
    return read_bundle(BUNDLES / "student-0.2.0")


def test_a_bundle_that_has_lost_bits_already_is_refused(retinas: FundusDataset, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is stored in fp16"):
        store_variants(dataclasses.replace(full_precision(), precision="fp16"), retinas, tmp_path)


def test_every_variant_is_smaller_and_fewer_stored_bits_hardly_change_a_probability(
    retinas: FundusDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision_trial, "N_CALIBRATION", 3)
    files = store_variants(full_precision(), retinas, tmp_path)
    sizes = {name: path.stat().st_size for name, path in files.items()}
    assert max(sizes, key=lambda name: sizes[name]) == "fp32"
    assert sizes["fp16 weights"] < 0.55 * sizes["fp32"]
    sessions = {name: open_session(path) for name, path in files.items()}
    table = accuracy_table(full_precision(), retinas, sessions)
    assert table["fp32"]["odir5k"]["change"] == 0
    assert table["fp16 weights"]["odir5k"]["change"] < 0.01
    assert table["int8 weights"]["odir5k"]["change"] < 0.2
    times = time_all(
        sessions, np.zeros((3, full_precision().side_px, full_precision().side_px), np.float32), n_passes=20
    )
    assert times["fp32"][1] == 1
    assert all(ms > 0 for ms, _ in times.values())


def test_the_table_has_a_row_for_each_variant(retinas: FundusDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision_trial, "N_CALIBRATION", 2)
    lines = report(full_precision(), retinas, n_passes=20).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == [
        "fp32", "fp16 weights", "int8 weights", "fp16 arithmetic", "int8 arithmetic",
    ]  # fmt: skip
    assert len({line.count("|") for line in lines}) == 1


def test_pictures_are_scaled_to_the_side_of_the_bundle(retinas: FundusDataset) -> None:
    photo = next(precision_trial.network_inputs(full_precision(), retinas, np.array([0])))
    assert photo.shape == (3, full_precision().side_px, full_precision().side_px)
    assert Image.fromarray(retinas.pixels[0]).size == (320, 320)
