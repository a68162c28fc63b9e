"""The model card repeats the evaluation number for number."""

import copy
import dataclasses
import json
import re
from typing import Any

import pytest

from ml.bundle import EVALUATION_FILE, Bundle, read_evaluation
from ml.errors import BundleError
from ml.release.model_card import card_text


def write_json(bundle: Bundle, evaluation: dict[str, Any]) -> None:
    (bundle.folder / EVALUATION_FILE).write_text(json.dumps(evaluation))


@pytest.fixture
def bundle(bundle_copy: Bundle, evaluation: dict[str, Any]) -> Bundle:
    """A bundle with the toy evaluation."""
    write_json(bundle_copy, evaluation)
    return bundle_copy


def test_every_metric_of_the_card_is_in_the_files_of_the_bundle(bundle: Bundle, evaluation: dict[str, Any]) -> None:
    files = json.dumps(evaluation) + (bundle.folder / "bundle.json").read_text()
    known = {f"{float(number):.3f}" for number in re.findall(r"\d+(?:\.\d+)?", files)}
    text = card_text(bundle)
    shown = re.findall(r"(?<![\d.])\d\.\d{3}(?!\d)", text.split("## Metrics")[1].split("```")[0])
    assert len(shown) > 200
    assert set(shown) <= known
    assert max(len(line) for line in text.splitlines() if not line.startswith("|")) <= 120


def test_a_changed_number_changes_the_card(bundle: Bundle, evaluation: dict[str, Any]) -> None:
    changed = copy.deepcopy(evaluation)
    changed["splits"]["test"]["eyepacs"]["metrics"]["quadratic_kappa"][0] = 0.123
    write_json(bundle, changed)
    assert "0.123 (" in card_text(bundle)


def test_the_card_has_teachers_and_the_commands_of_training(bundle: Bundle) -> None:
    plain = bundle.training["stages"][-1] | {"init_from": "runs/start", "sources": ["aptos2019", "idrid"], "alpha": 0.0}
    plain |= {"distillation": None}
    distillation = {"teachers": ["runs/elder", "ml/bundles/x"], "unlabelled": ["eyeq"], "distill_loss_weight": 0.9}

    def card_with(stage: dict[str, Any]) -> str:
        text = card_text(dataclasses.replace(bundle, training=bundle.training | {"stages": [stage]}))
        return re.sub(r"\s+(\\\s+)?", " ", text)  # without line breaks

    assert "distilled from" not in card_with(plain)
    assert "ml average" not in card_with(plain)
    text = card_with(plain | {"distillation": distillation, "alpha": 0.5})
    assert "distilled from `runs/elder` and `ml/bundles/x`, also on photographs of eyeq without a grade." in text
    sources = " ".join(plain["sources"])
    start = f"--output {plain['run']} --init-from {plain['init_from']} --sources {sources} --image-size "
    assert f" python -m ml distill {start}" in text
    assert " --teachers runs/elder ml/bundles/x --distill-loss-weight 0.9 --unlabelled eyeq " in text
    assert text.index("python -m ml distill") < text.index("python -m ml average")
    assert f" python -m ml average {plain['run']} --alpha 0.5 python -m ml export {plain['run']} " in text


@pytest.mark.parametrize("change", [{"weights_sha256": "0" * 64}, {"operating_point": 0.5}])
def test_an_evaluation_of_something_else_is_refused(
    bundle: Bundle, evaluation: dict[str, Any], change: dict[str, Any]
) -> None:
    write_json(bundle, evaluation | change)
    with pytest.raises(BundleError, match="evaluate the bundle again"):
        card_text(bundle)


def test_there_is_no_card_without_an_evaluation(bundle_copy: Bundle) -> None:
    (bundle_copy.folder / "evaluation.json").unlink()
    with pytest.raises(BundleError, match=r"evaluation\.json is missing"):
        read_evaluation(bundle_copy)
