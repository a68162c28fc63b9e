"""Grading with the released bundle."""

import json
import os
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml.bundle import BUNDLES, default_bundle
from ml.errors import BundleError, GradingError
from ml.grader import Grader, calibrated_probabilities, decide_grades
from ml.networks.architectures import set_outputs
from ml.networks.onnx_export import file_manifest
from ml.serving.quality.gate import FOLDER, WEIGHTS, Quality
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.vocabulary import N_GRADES, ICDRGrade, Laterality, QualityLevel, QualityReason
from tests.ml.networks.random_networks import random_network, write_bundle


@pytest.fixture(scope="module")
def grader() -> Grader:
    return Grader.load()


@pytest.fixture(scope="module")
def synthetic() -> Image.Image:
    return draw_fundus(drawing_for_grade(ICDRGrade.MODERATE, Laterality.RIGHT, seed=11))


def test_a_synthetic_eye_gets_a_complete_prediction(grader: Grader, synthetic: Image.Image) -> None:
    prediction = grader.grade(synthetic)
    assert prediction.is_gradable
    assert prediction.quality_reasons == ()
    assert prediction.probabilities is not None
    assert sum(prediction.probabilities) == pytest.approx(1)
    assert prediction.p_referable == pytest.approx(sum(prediction.probabilities[2:]))
    assert prediction.p_referable is not None
    assert prediction.is_referable == (prediction.p_referable >= grader.bundle.operating_point)
    assert prediction.heatmap is not None
    assert prediction.heatmap.shape == (grader.bundle.image_size // 32,) * 2
    assert 0 <= prediction.heatmap.min() <= prediction.heatmap.max() <= 1
    assert prediction.model_version == grader.bundle.model_version
    assert prediction.laterality is Laterality.RIGHT
    assert prediction.laterality_confidence is not None


@pytest.mark.parametrize("name", ["student-0.4.0", "teacher-0.4.0"])
def test_a_model_with_oedema_gives_its_probability_and_heatmap(name: str, synthetic: Image.Image) -> None:
    grader = Grader.load(BUNDLES / name)
    output = grader.bundle.oedema
    assert output is not None
    found = grader.grade(synthetic)
    assert found.p_macular_oedema is not None
    assert 0 < found.p_macular_oedema < 1
    assert found.oedema_operating_point == output.operating_point
    assert found.suspects_oedema == (found.p_macular_oedema >= output.operating_point)
    assert found.oedema_heatmap is not None
    assert found.heatmap is not None
    assert found.oedema_heatmap.shape == found.heatmap.shape
    assert 0 <= found.oedema_heatmap.min() <= found.oedema_heatmap.max() <= 1


def test_oedema_is_not_assessed_if_the_macula_is_not_visible(
    synthetic: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    grader = Grader.load(BUNDLES / "student-0.4.0")
    hidden = Quality(p_gradable=0.6, level=QualityLevel.USABLE, reasons=(QualityReason.MACULA_NOT_VISIBLE,))
    monkeypatch.setattr("ml.grader.assess_quality", lambda crop: hidden)
    found = grader.grade(synthetic)
    assert found.grade is not None
    assert (found.p_macular_oedema, found.suspects_oedema, found.oedema_heatmap) == (None, None, None)
    assert grader.bundle.oedema is not None
    assert found.oedema_operating_point == grader.bundle.oedema.operating_point


def test_a_model_of_grades_alone_has_no_result_for_oedema(synthetic: Image.Image, tmp_path: Path) -> None:
    network = random_network("tiny")
    set_outputs(network, N_GRADES)
    grader = Grader.load(write_bundle(tmp_path / "grades", network, "tiny").folder)
    found = grader.grade(synthetic, include_ungradable=True)
    assert found.grade is not None
    oedema = (found.p_macular_oedema, found.suspects_oedema, found.oedema_operating_point, found.oedema_heatmap)
    assert oedema == (None, None, None, None)


def test_image_bytes_and_file_give_the_same_grade(grader: Grader, synthetic: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "synthetic.png"
    synthetic.save(path)
    results = [grader.grade(photo) for photo in (synthetic, path.read_bytes(), path)]
    assert len({r.p_referable for r in results}) == 1


def test_many_photographs_keep_their_order_and_their_grades(grader: Grader, synthetic: Image.Image) -> None:
    blank = Image.new("RGB", (400, 400), (40, 90, 200))
    rotated = synthetic.transpose(Image.Transpose.ROTATE_90)
    many = list(grader.grade_many([synthetic, blank, rotated, synthetic], batch_size=3))
    assert [p.is_gradable for p in many] == [True, False, True, True]
    assert many[0].p_referable == pytest.approx(many[3].p_referable, abs=1e-5)
    assert many[2].p_referable == pytest.approx(grader.grade(rotated).p_referable, abs=1e-5)


def test_an_ungradable_photograph_has_reasons_and_no_grade(grader: Grader) -> None:
    prediction = grader.grade(Image.new("RGB", (600, 600)))
    assert not prediction.is_gradable
    assert prediction.quality_reasons
    assert {prediction.grade, prediction.probabilities, prediction.p_referable, prediction.is_referable} == {None}
    assert prediction.heatmap is None


def test_an_ungradable_photograph_is_graded_if_included(grader: Grader, synthetic: Image.Image) -> None:
    dark = synthetic.point(lambda v: v // 9)
    assert grader.grade(dark).grade is None
    included = grader.grade(dark, include_ungradable=True)
    assert included.grade is not None
    assert not included.is_gradable


def test_a_file_that_is_no_photograph_raises(grader: Grader) -> None:
    with pytest.raises(GradingError, match="not a photograph"):
        grader.grade(b"no photograph")


def test_a_network_with_outputs_that_its_bundle_does_not_describe_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(BUNDLES / "student-0.4.0", tmp_path / "more"))
    content = json.loads((folder / "bundle.json").read_text())
    del content["macular_oedema"]
    (folder / "bundle.json").write_text(json.dumps(content))
    with pytest.raises(BundleError, match="its inputs or outputs are others"):
        Grader.load(folder)


def test_a_quality_network_in_place_of_the_graph_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(default_bundle(), tmp_path / "foreign"))
    shutil.copy(FOLDER / WEIGHTS, folder / "model.onnx")
    content = json.loads((folder / "bundle.json").read_text())
    content["graph"] = file_manifest(folder / "model.onnx")
    (folder / "bundle.json").write_text(json.dumps(content))
    with pytest.raises(BundleError, match="not a grading network"):
        Grader.load(folder)


def test_calibrated_probabilities_sum_to_one_without_overflow() -> None:
    logits = np.array([[900.0, 0, 0, 0, -900], [0, 0, 0, 0, 0]])
    probabilities = calibrated_probabilities(logits, 0.5, (0.1, 0.0, 0.0, 0.0, -0.1))
    assert probabilities.sum(axis=1) == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("cutpoints", "grade"),
    [((), ICDRGrade.NONE), ((0.5, 1.5, 2.5, 3.5), ICDRGrade.MODERATE), ((1.9, 2, 3, 3.5), ICDRGrade.NONE)],
)
def test_the_cutpoints_decide_the_grade(cutpoints: tuple[float, ...], grade: ICDRGrade) -> None:
    assert decide_grades(np.array([0.4, 0.1, 0.1, 0.1, 0.3]), cutpoints) == grade


def test_onnx_runtime_sends_no_telemetry(tmp_path: Path) -> None:
    """With telemetry, it stores an identifier of the device below the home directory."""
    environment = os.environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": ""}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", "from ml.grader import Grader; Grader.load()"], check=True, env=environment)
    assert not list(tmp_path.iterdir())


def test_serving_imports_no_torch() -> None:
    code = "import ml.grader, sys; print([m for m in ('torch', 'django', 'sklearn', 'onnx') if m in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert output.strip() == "[]"


def test_a_large_jpeg_is_graded_like_the_image_in_full_size(grader: Grader, synthetic: Image.Image) -> None:
    file = BytesIO()
    synthetic.resize((2400, 2400)).save(file, "JPEG", quality=95)
    reduced, full = grader.grade(file.getvalue()), grader.grade(synthetic)
    assert reduced.p_referable == pytest.approx(full.p_referable, abs=0.1)


@pytest.mark.real_data
def test_healthy_and_diseased_samples_are_separated(grader: Grader, data_dir: Path) -> None:
    healthy = [grader.grade(path) for path in sorted((data_dir / "samples").glob("HRF_*.jpg"))]
    diseased = [grader.grade(path) for path in sorted((data_dir / "samples").glob("IDRiD_*.jpg"))]
    assert all(p.is_gradable for p in healthy + diseased)
    assert sum(bool(p.is_referable) for p in healthy) <= 2
    assert all(p.is_referable for p in diseased)
