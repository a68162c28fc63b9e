"""A site's own threshold: fitted to its photographs, and read only if it is whole."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.bundle import Bundle
from ml.cli.main import main
from ml.errors import InputError
from ml.evaluation.predictions import LabelledPredictions
from ml.release.site_threshold import advice, fit_temperature, fit_to, read_site_photos
from ml.site_threshold import SiteThreshold, read_site_threshold, tempered, tempered_probabilities


def of_site(predictions: LabelledPredictions) -> LabelledPredictions:
    """The predictions of one source, as those of a site."""
    rows = predictions.where("test", "odir5k")
    return dataclasses.replace(
        predictions,
        photos=[predictions.photos[i] for i in rows],
        fields_of_view=[predictions.fields_of_view[i] for i in rows],
        probabilities=predictions.probabilities[rows],
        grades=predictions.grades[rows],
        quality_levels=predictions.quality_levels[rows],
        p_oedema=predictions.p_oedema[rows],
    )


@pytest.fixture(scope="module")
def fitted(predictions: LabelledPredictions) -> SiteThreshold:
    return fit_to(of_site(predictions), target=0.9)


def test_the_threshold_has_the_target_sensitivity_on_the_photographs_of_the_site(
    fitted: SiteThreshold, predictions: LabelledPredictions
) -> None:
    site = of_site(predictions)
    rows = site.is_gradable
    p = np.array(
        [sum(tempered_probabilities(tuple(each), fitted.temperature)[2:]) for each in site.probabilities[rows]]
    )
    positive = site.truth[rows] >= 2
    assert (fitted.n, fitted.n_referable) == (rows.sum(), positive.sum())
    assert (p[positive] >= fitted.operating_point).mean() == pytest.approx(0.9, abs=0.05)
    value, low, high = fitted.sensitivity
    assert low <= value <= high
    assert value == pytest.approx(0.9, abs=0.1)


def test_the_temperature_undoes_too_certain_probabilities() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 5))
    right = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(5, p=each) for each in right])
    assert fit_temperature(tempered(right, 1 / 3), truth) == pytest.approx(3, rel=0.1)


def test_a_temperature_keeps_the_most_probable_grade() -> None:
    probabilities = np.random.default_rng(1).dirichlet(np.ones(5), 50)
    for temperature in (0.5, 3.0):
        changed = tempered(probabilities, temperature)
        assert (changed.argmax(axis=1) == probabilities.argmax(axis=1)).all()
        assert np.allclose(changed.sum(axis=1), 1)
    assert np.allclose(tempered(probabilities, 1.0), probabilities)


def test_too_few_photographs_are_refused_with_what_is_missing(predictions: LabelledPredictions) -> None:
    site = of_site(predictions)
    few = dataclasses.replace(site, quality_levels=np.where(np.arange(len(site.photos)) < 90, "good", "ungradable"))
    with pytest.raises(InputError, match="10 more graded photographs"):
        fit_to(few, target=0.9)
    healthy = np.array([photo.grade < 2 for photo in site.photos])
    without = dataclasses.replace(site, quality_levels=np.where(healthy, "good", "ungradable"))
    with pytest.raises(InputError, match="20 more photographs of grade 2 or more"):
        fit_to(without, target=0.9)


def test_the_file_is_read_as_it_was_written(fitted: SiteThreshold) -> None:
    assert read_site_threshold(fitted.to_json().encode()) == fitted


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": 0},
        {"temperature": True},
        {"operating_point": 1.5},
        {"operating_point": "0.1"},
        {"format": 2},
        {"sensitivity": [0.9, 0.95, 0.99]},
        {"sensitivity": [0.9, 0.8]},
        {"n": 10, "n_referable": 20},
        {"n": 1e400},
        {"weights_sha256": "x"},
        {"fitted_on": "2026-13-40"},
        {"patients": ["somebody"]},
        {"model_version": "<script>"},
    ],
)
def test_a_file_with_other_content_is_refused(fitted: SiteThreshold, changes: dict[str, Any]) -> None:
    content = json.dumps(json.loads(fitted.to_json()) | changes)
    with pytest.raises(InputError, match="not a threshold file"):
        read_site_threshold(content.encode())


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"null", b'{"n": 1, "n": 2}', b"[" * 4000, b'{"format": NaN}', b" " * 5000]
)
def test_what_is_no_json_object_of_that_kind_is_refused(content: bytes) -> None:
    with pytest.raises(InputError):
        read_site_threshold(content)


def test_it_is_refused_for_another_bundle(fitted: SiteThreshold, predictions: LabelledPredictions) -> None:
    fitted.require_bundle(predictions.bundle)
    other = dataclasses.replace(predictions.bundle, weights_sha256="0" * 64)
    with pytest.raises(InputError, match="Fit it again"):
        fitted.require_bundle(other)


def test_advice_warns_of_a_wide_interval(fitted: SiteThreshold, bundle_copy: Bundle) -> None:
    assert "Caution" in advice(dataclasses.replace(fitted, sensitivity=(0.9, 0.7, 0.95)), bundle_copy)
    assert "Caution" not in advice(dataclasses.replace(fitted, sensitivity=(0.9, 0.85, 0.95)), bundle_copy)


def test_the_command_names_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["site-threshold", str(tmp_path)]) == 2
    assert "no labels.csv" in capsys.readouterr().err
    (tmp_path / "labels.csv").write_text("file,grade\n")
    with pytest.raises(InputError, match="100 more graded photographs"):
        read_site_photos(tmp_path)
    assert main(["site-threshold", str(tmp_path), "--sensitivity", "0.2"]) == 2
    assert "--sensitivity" in capsys.readouterr().err
