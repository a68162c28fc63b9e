"""The released laterality network: right and left eyes, no answer for other photographs, verified files."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image, ImageOps

from ml.errors import BundleError
from ml.serving.laterality.network import (
    DESCRIPTION,
    FOLDER,
    LEFT,
    N_CLASSES,
    OTHER,
    RIGHT,
    RIGHT_ROTATED,
    WEIGHTS,
    Calibration,
    LateralityNetwork,
    recognise_laterality,
    released_network,
    square_view,
)
from ml.serving.preprocess import FundusCrop, crop_fundus
from ml.serving.quality import gate
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.training.laterality.evaluate import optic_disc_at_centre
from ml.vocabulary import ICDRGrade, Laterality

Change = Callable[[Image.Image], Image.Image]


def cropped(photo: Image.Image, *, side_px: int = 288) -> FundusCrop:
    crop = crop_fundus(photo, side_px=side_px)
    assert crop is not None
    return crop


@cache
def eye_of(eye: Laterality, seed: int = 2) -> Image.Image:
    """In a frame 840 pixels high."""
    return draw_fundus(replace(drawing_for_grade(ICDRGrade(seed % 5), eye, seed=seed), scale=0.7))


@pytest.mark.parametrize("eye", list(Laterality))
@pytest.mark.parametrize("seed", [1, 3, 4])
def test_it_recognises_a_synthetic_eye_and_takes_its_reflection_for_the_other(eye: Laterality, seed: int) -> None:
    photo, other = eye_of(eye, seed), Laterality.LEFT if eye is Laterality.RIGHT else Laterality.RIGHT
    for side_px in (224, 288, 320):
        estimate = recognise_laterality(cropped(photo, side_px=side_px))
        assert estimate.laterality is eye
        assert released_network().calibration.min_confidence <= estimate.confidence <= 1
    assert recognise_laterality(cropped(ImageOps.mirror(photo))).laterality is other


@pytest.mark.parametrize(
    "change",
    [lambda photo: photo.rotate(180), ImageOps.flip, lambda photo: photo.rotate(90), lambda photo: photo.rotate(-90)],
    ids=["turned", "top to bottom", "quarter turn", "other quarter turn"],
)
@pytest.mark.parametrize("seed", [1, 3, 4])
def test_a_turned_photograph_has_no_answer(change: Change, seed: int) -> None:
    assert recognise_laterality(cropped(change(eye_of(Laterality.RIGHT, seed)))).laterality is None


@pytest.mark.parametrize("eye", list(Laterality))
def test_a_photograph_with_the_optic_disc_at_the_centre_has_no_answer(eye: Laterality) -> None:
    view = optic_disc_at_centre(square_view(cropped(eye_of(eye))), is_right=eye is Laterality.RIGHT)
    (logits,) = released_network().session.run(None, {"photos": view[None]})
    probabilities = released_network().calibration.probabilities(logits)[0]
    assert probabilities[[RIGHT, LEFT]].max() < released_network().calibration.min_confidence


def test_a_failure_is_no_answer() -> None:
    broken = Mock(run=lambda *_: [np.full((1, N_CLASSES), np.nan, np.float32)])
    network = LateralityNetwork(broken, released_network().calibration)
    estimate = network.estimate(cropped(eye_of(Laterality.RIGHT)))
    assert (estimate.laterality, estimate.confidence) == (None, 0.0)


def test_a_turned_photograph_is_less_likely_before_it_is_seen() -> None:
    logits = np.zeros(N_CLASSES)
    p = Calibration(temperature=1.0, p_rotated=0.1, min_confidence=0.9).probabilities(logits)
    assert p.sum() == pytest.approx(1)
    assert p[RIGHT] == p[LEFT] == pytest.approx(9 * p[RIGHT_ROTATED])
    even = Calibration(temperature=2.0, p_rotated=0.5, min_confidence=0.9).probabilities(np.array([2.0, 0, 0, 0, 0]))
    assert even[RIGHT] / even[OTHER] == pytest.approx(np.e)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the released files."""
    return Path(shutil.copytree(FOLDER, tmp_path / "laterality"))


def edit(folder: Path, **entries: object) -> None:
    description = folder / DESCRIPTION
    description.write_text(json.dumps(json.loads(description.read_text()) | entries))


def alter_weights(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / WEIGHTS).write_bytes(content)


def use_quality_network(folder: Path) -> None:
    shutil.copy(gate.FOLDER / gate.WEIGHTS, folder / WEIGHTS)
    edit(folder, weights={"sha256": hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (alter_weights, r"network\.onnx was altered"),
        (use_quality_network, "another network"),
        (lambda folder: edit(folder, calibration={}), "calibration|temperature"),
        (lambda folder: (folder / WEIGHTS).unlink(), "Restore"),
        (lambda folder: (folder / DESCRIPTION).write_text("{"), "Restore"),
    ],
)
def test_damaged_files_are_refused(folder: Path, damage: Callable[[Path], object], message: str) -> None:
    LateralityNetwork.load(folder)
    damage(folder)
    with pytest.raises(BundleError, match=message):
        LateralityNetwork.load(folder)
