"""evaluation.json has the metrics of each split, source and subgroup."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.bundle import Bundle, read_bundle
from ml.evaluation.evaluate import build_evaluation, compact_json, main_metrics, write_evaluation
from ml.evaluation.predictions import EvaluationPhoto, LabelledPredictions, fingerprint
from tests.ml.evaluation.toy_predictions import N_UNGRADABLE


def test_metrics_are_those_of_the_split_and_source(
    predictions: LabelledPredictions, evaluation: dict[str, Any]
) -> None:
    indices = predictions.where("test", "eyepacs")
    entry = evaluation["splits"]["test"]["eyepacs"]
    assert entry["n"] == len(indices) == np.array(entry["confusion_matrix"]).sum() == 240
    assert np.sum(entry["confusion_matrix"], axis=1).tolist() == np.bincount(predictions.truth[indices]).tolist()
    assert entry["n_groups"] == 120
    value, low, high = entry["metrics"]["accuracy"]
    assert value == pytest.approx((predictions.grades == predictions.truth)[indices].mean(), abs=1e-4)
    assert low < value < high


def test_an_ungradable_photograph_counts_as_positive_if_all_are_screened(
    predictions: LabelledPredictions, evaluation: dict[str, Any]
) -> None:
    gate = evaluation["splits"]["test"]["odir5k"]["quality_gate"]
    assert gate["imageability"][0] == pytest.approx(234 / 240, abs=1e-4)
    i = predictions.where("test", "odir5k")
    p_referable = predictions.probabilities[i][:, 2:].sum(axis=1)
    flagged = (p_referable >= read_bundle().operating_point) | ~predictions.is_gradable[i]
    healthy = predictions.truth[i] < 2
    assert gate["specificity_intention_to_screen"][0] == pytest.approx((~flagged)[healthy].mean(), abs=1e-4)
    assert gate["sensitivity_intention_to_screen"][0] == pytest.approx(flagged[~healthy].mean(), abs=1e-4)


def test_a_photograph_without_a_retina_is_screened_positive_and_has_no_grade(predictions: LabelledPredictions) -> None:
    is_blank = np.arange(len(predictions.grades)) == predictions.where("test", "eyepacs")[0]
    blank = dataclasses.replace(
        predictions,
        grades=np.where(is_blank, -1, predictions.grades),
        probabilities=np.where(is_blank[:, None], np.nan, predictions.probabilities),
    )
    entry = build_evaluation(blank)["splits"]["test"]["eyepacs"]
    assert entry["n"] == 239
    assert np.isfinite(entry["quality_gate"]["sensitivity_intention_to_screen"][0])


def test_subgroups_need_two_groups(evaluation: dict[str, Any]) -> None:
    # one field of view, one known age band, no sex, no label of the quality
    assert set(evaluation["subgroups"]["eyepacs"]) == {"eye", "quality gate"}
    eyes = evaluation["subgroups"]["eyepacs"]["eye"]
    assert {name: (group["n"], group["n_groups"]) for name, group in eyes.items()} == {
        "left": (120, 120),
        "right": (120, 120),
    }
    assert all(eyes["left"]["metrics"].values())


def test_a_small_subgroup_has_counts_and_no_metrics(
    predictions: LabelledPredictions, evaluation: dict[str, Any]
) -> None:
    rows = predictions.where("test", "eyepacs")
    refused = rows[~predictions.is_gradable[rows]]
    group = evaluation["subgroups"]["eyepacs"]["quality gate"]["ungradable"]
    assert (group["n"], group["n_referable"]) == (N_UNGRADABLE, (predictions.truth[refused] >= 2).sum())
    assert not any(group["metrics"].values())


def test_uncertain_oedema_is_counted_apart(predictions: LabelledPredictions, evaluation: dict[str, Any]) -> None:
    i = predictions.where("test", "eyepacs")[0]  # has oedema
    photos = list(predictions.photos)
    photos[i] = dataclasses.replace(photos[i], has_oedema=None, is_oedema_uncertain=True)
    p_oedema = np.where(np.arange(len(photos)) == i, 0.99, predictions.p_oedema)
    changed = build_evaluation(dataclasses.replace(predictions, photos=photos, p_oedema=p_oedema))
    before, after = (each["splits"]["test"]["eyepacs"]["macular_oedema"] for each in (evaluation, changed))
    assert (before["n"] - after["n"], before["n_positive"] - after["n_positive"]) == (1, 1)
    assert (before["n_uncertain"], before["n_uncertain_suspected"]) == (0, 0)
    assert (after["n_uncertain"], after["n_uncertain_suspected"]) == (1, 1)


def test_the_description_of_a_bundle_has_the_main_metrics(
    bundle_copy: Bundle, predictions: LabelledPredictions, evaluation: dict[str, Any]
) -> None:
    write_evaluation(dataclasses.replace(predictions, bundle=bundle_copy), data=Path())
    metrics = read_bundle(bundle_copy.folder, verify=True).metrics
    assert metrics == main_metrics(evaluation)
    kappa = evaluation["splits"]["test"]["aptos2019"]["metrics"]["quadratic_kappa"][0]
    assert metrics["test"]["aptos2019"]["quadratic_kappa"] == kappa


def test_compact_json_keeps_a_list_of_numbers_on_one_line() -> None:
    content = {"a": [1, None, 0.5], "b": [[1, 2], [3, 4]], "c": {"d": []}}
    text = compact_json(content)
    assert "[1, null, 0.5]" in text
    assert json.loads(text) == content


def test_a_fingerprint_changes_with_a_grade_and_not_with_the_order() -> None:
    photos = [EvaluationPhoto(Path(f"{i}.jpg"), "eyepacs", "test", str(i), i) for i in range(3)]
    other = [dataclasses.replace(photos[0], grade=4), *photos[1:]]
    assert fingerprint(photos, "test") == fingerprint(photos[::-1], "test") != fingerprint(other, "test")
