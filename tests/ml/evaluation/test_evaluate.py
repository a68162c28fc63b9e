"""The evaluation counts what it says, and the card repeats it number for number."""

import dataclasses
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.bundle import Bundle, default_bundle, read_bundle, read_evaluation
from ml.errors import BundleError
from ml.evaluation.evaluate import as_json, describe, summary, write_evaluation
from ml.evaluation.predictions import EvaluationPhoto, LabelledPredictions, fingerprint
from ml.release.model_card import card_text
from ml.release.report import write_report
from tests.ml.evaluation.toy_readings import toy_readings


@pytest.fixture(scope="module")
def readings() -> LabelledPredictions:
    return toy_readings(1.0)


@pytest.fixture(scope="module")
def evaluation(readings: LabelledPredictions) -> dict[str, Any]:
    return describe(read_bundle(), readings, n_resamples=60)


@pytest.fixture
def copy(tmp_path: Path) -> Bundle:
    return read_bundle(Path(shutil.copytree(default_bundle(), tmp_path / "copy")))


def test_figures_are_those_of_the_part_and_source(readings: LabelledPredictions, evaluation: dict[str, Any]) -> None:
    rows = readings.where("test", "eyepacs")
    entry = evaluation["parts"]["test"]["eyepacs"]
    assert entry["n"] == len(rows) == 240
    assert entry["n_people_or_sets_of_copies"] == 120
    assert np.array(entry["confusion"]).sum() == 240
    value, low, high = entry["figures"]["accuracy"]
    assert value == pytest.approx((readings.grades[rows] == readings.truth[rows]).mean(), abs=1e-4)
    assert low < value < high


def test_an_ungradable_photograph_counts_as_positive_when_all_are_screened(
    readings: LabelledPredictions, evaluation: dict[str, Any]
) -> None:
    gate = evaluation["parts"]["test"]["odir5k"]["quality_gate"]
    assert gate["imageability"][0] == pytest.approx(234 / 240, abs=1e-4)
    rows = readings.where("test", "odir5k")
    healthy = readings.truth[rows] < 2
    point = read_bundle().operating_point
    flagged = (readings.probabilities[rows][:, 2:].sum(axis=1) >= point) | ~readings.is_gradable[rows]
    assert gate["specificity_intention_to_screen"][0] == pytest.approx((~flagged)[healthy].mean(), abs=1e-4)
    assert gate["sensitivity_intention_to_screen"][0] == pytest.approx(flagged[~healthy].mean(), abs=1e-4)


def test_a_photograph_without_a_retina_is_screened_positive_and_has_no_grade(readings: LabelledPredictions) -> None:
    first = int(readings.where("test", "eyepacs")[0])
    blind = dataclasses.replace(
        readings,
        grades=np.where(np.arange(len(readings.grades)) == first, -1, readings.grades),
        probabilities=np.where((np.arange(len(readings.grades)) == first)[:, None], np.nan, readings.probabilities),
    )
    entry = describe(read_bundle(), blind, n_resamples=5)["parts"]["test"]["eyepacs"]
    assert entry["n"] == 239
    assert np.isfinite(entry["quality_gate"]["sensitivity_intention_to_screen"][0])


def test_groups_too_small_or_alone_are_not_reported(evaluation: dict[str, Any]) -> None:
    assert set(evaluation["subgroups"]["eyepacs"]) == {"eye"}  # one geometry, one known age band, no sex
    eyes = evaluation["subgroups"]["eyepacs"]["eye"]
    assert {name: group["n"] for name, group in eyes.items()} == {"left": 120, "right": 120}


def test_every_number_of_the_cards_figures_stands_in_the_evaluation(copy: Bundle, evaluation: dict[str, Any]) -> None:
    write_evaluation(copy.folder, evaluation)
    text = card_text(copy)
    known = {f"{number:.3f}" for number in numbers_in(evaluation)}
    shown = re.findall(r"(?<![\d.])\d\.\d{3}(?!\d)", text.split("## Figures")[1].split("```")[0])
    assert len(shown) > 200
    assert set(shown) <= known


def numbers_in(content: Any) -> list[float]:
    if isinstance(content, dict):
        return [n for value in content.values() for n in numbers_in(value)]
    if isinstance(content, list):
        return [n for value in content for n in numbers_in(value)]
    return [float(content)] if isinstance(content, int | float) else []


def test_one_changed_number_makes_another_card(copy: Bundle, evaluation: dict[str, Any]) -> None:
    write_evaluation(copy.folder, evaluation)
    before = card_text(copy)
    changed = json.loads(json.dumps(evaluation))
    changed["parts"]["test"]["eyepacs"]["figures"]["quadratic_kappa"][0] = 0.123
    write_evaluation(copy.folder, changed)
    assert card_text(copy) != before
    assert "0.123 (" in card_text(copy)


def test_the_card_names_teachers_and_training_commands(copy: Bundle, evaluation: dict[str, Any]) -> None:
    write_evaluation(copy.folder, evaluation)
    stage = copy.training["stages"][-1]
    plain = stage | {"distillation": None, "alpha": 0.0}
    distillation = {"teachers": ["runs/elder", "ml/bundles/x"], "unlabelled": ["eyeq"]}

    def card_of(last: dict[str, Any]) -> str:
        return card_text(dataclasses.replace(copy, training=copy.training | {"stages": [last]}))

    assert "distilled" not in card_of(plain)
    assert "ml average" not in card_of(plain)
    text = card_of(plain | {"distillation": distillation, "alpha": 0.5})
    assert "distilled from `runs/elder` and `ml/bundles/x`, also on photographs of eyeq without a grade." in text
    assert f"\npython -m ml average {stage['run']} --alpha 0.5\n" in text
    assert "--teachers runs/elder ml/bundles/x --unlabelled eyeq" in text


@pytest.mark.parametrize("change", [{"weights_sha256": "0" * 64}, {"operating_point": 0.5}])
def test_an_evaluation_of_something_else_makes_no_card(
    copy: Bundle, evaluation: dict[str, Any], change: dict[str, Any]
) -> None:
    write_evaluation(copy.folder, evaluation | change)
    with pytest.raises(BundleError, match="evaluate the bundle again"):
        card_text(copy)


def test_without_an_evaluation_there_is_no_card(copy: Bundle) -> None:
    (copy.folder / "evaluation.json").unlink(missing_ok=True)
    with pytest.raises(BundleError, match=r"evaluation\.json is missing"):
        read_evaluation(copy)


def test_the_description_of_a_bundle_repeats_the_main_figures(copy: Bundle, evaluation: dict[str, Any]) -> None:
    write_evaluation(copy.folder, evaluation)
    again = read_bundle(copy.folder, verify=True)
    assert again.metrics == summary(evaluation)
    kappa = evaluation["parts"]["test"]["aptos2019"]["figures"]["quadratic_kappa"][0]
    assert again.metrics["test"]["aptos2019"]["quadratic_kappa"] == kappa


def test_the_report_has_its_pictures(
    copy: Bundle, evaluation: dict[str, Any], readings: LabelledPredictions, tmp_path: Path
) -> None:
    write_evaluation(copy.folder, evaluation)
    report = write_report(copy, evaluation, readings, tmp_path / "report").read_text()
    for name in ("roc.png", "calibration.png", "confusion.png"):
        assert f"({name})" in report
        assert (tmp_path / "report" / name).read_bytes().startswith(b"\x89PNG")


def test_numbers_in_a_row_stay_on_one_line_of_the_json() -> None:
    content = {"a": [1, None, 0.5], "b": [[1, 2], [3, 4]], "c": {"d": []}}
    text = as_json(content)
    assert "[1, null, 0.5]" in text
    assert json.loads(text) == content


def test_a_fingerprint_changes_with_a_grade_and_not_with_the_order() -> None:
    photos = [EvaluationPhoto(Path(f"{i}.jpg"), "eyepacs", "test", str(i), i) for i in range(3)]
    other = [dataclasses.replace(photos[0], grade=4), *photos[1:]]
    assert fingerprint(photos, "test") == fingerprint(photos[::-1], "test") != fingerprint(other, "test")
