"""Training of the laterality network: labels that change with the photograph, the loss, the released file."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from ml.data.augment import BatchRandom
from ml.data.splits import TEST, TRAIN, VALIDATION
from ml.serving.laterality.network import (
    LEFT,
    LEFT_ROTATED,
    OTHER,
    RIGHT,
    RIGHT_ROTATED,
    Calibration,
    LateralityNetwork,
)
from ml.synthetic import FundusDrawing, draw_fundus
from ml.training.batches import seeded_generator
from ml.training.laterality import augment, train
from ml.training.laterality.dataset import LateralitySet, load_laterality_set, split_of
from ml.training.laterality.evaluate import evaluate, likelier_eyes
from ml.training.laterality.export import fit_calibration, release
from ml.training.laterality.train import CONFIG, LateralityNet, MarginalLoss, allowed_classes, train_laterality

CHANGED = {RIGHT: (RIGHT, LEFT), RIGHT_ROTATED: (RIGHT_ROTATED, LEFT_ROTATED)}


def toy_set(n: int = 48) -> LateralitySet:
    """A bright spot on the side of the disc, slightly above the centre; every source has both eyes."""
    rng = np.random.default_rng(0)
    eyes = np.array(["right", "left"] * (n // 2))
    pixels = rng.integers(60, 90, (n, 96, 96, 3), np.uint8)
    for view, eye in zip(pixels, eyes, strict=True):
        x = 80 if eye == "right" else 16
        view[40:52, x - 6 : x + 6] = 250
    return LateralitySet(
        pixels=pixels,
        eyes=eyes,
        sources=np.array(["odir5k", "odir5k", "eyepacs", "eyepacs", "eyepacs_equalized", "eyeq"] * (n // 6)),
        qualities=np.array(["", "", "good", "good", "", "reject"] * (n // 6)),
        patients=np.arange(n).astype(str),
        splits=(np.arange(n) // 6 % 3).astype(np.int8),
    )


def test_the_label_allows_what_is_known_of_eye_and_orientation() -> None:
    photos = dataclasses.replace(toy_set(6), eyes=np.array(["right", "left", "right", "left", "", "right"]))
    photos = dataclasses.replace(photos, sources=np.array(["odir5k", "odir5k", "eyepacs", "eyepacs", "idrid", "eyeq"]))
    found = [set(row.nonzero().flatten().tolist()) for row in allowed_classes(photos)]
    assert found[:2] == [{RIGHT}, {LEFT}]
    assert found[2:4] == [{RIGHT, RIGHT_ROTATED}, {LEFT, LEFT_ROTATED}]
    assert found[4:] == [{RIGHT, LEFT}, {RIGHT, RIGHT_ROTATED, OTHER}]


def test_a_reflection_and_a_turn_change_the_label_with_the_photograph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "_move", lambda x, allowed, _: (x, allowed))
    monkeypatch.setattr(augment, "_spoil", lambda x, _: (x, torch.zeros(len(x), dtype=torch.bool)))
    monkeypatch.setattr(augment, "_light", lambda x, _: x)
    photos = torch.zeros(64, 3, 96, 96, dtype=torch.uint8)
    photos[:, :, 20:30, 70:80] = 255  # to the right of the centre and above it
    allowed = torch.zeros(64, 5)
    allowed[:, RIGHT] = 1
    x, changed = augment.augment_laterality(photos, allowed, BatchRandom(seeded_generator(1), 64))
    y, x_position = (x[:, 0] > 0).nonzero().float().view(64, 100, 3).mean(dim=1)[:, 1:].T
    is_right_side, is_above = x_position > 48, y < 48
    expected = torch.where(
        is_right_side & is_above,
        RIGHT,
        torch.where(is_above, LEFT, torch.where(is_right_side, LEFT_ROTATED, RIGHT_ROTATED)),
    )
    assert changed.argmax(dim=1).tolist() == expected.tolist()
    assert set(expected.tolist()) == {RIGHT, LEFT, RIGHT_ROTATED, LEFT_ROTATED}


def test_a_shift_to_the_optic_disc_and_spoilt_photographs_belong_to_no_eye() -> None:
    photos = torch.from_numpy(toy_set(48).pixels).permute(0, 3, 1, 2).repeat(8, 1, 1, 1)
    allowed = allowed_classes(dataclasses.replace(toy_set(48), sources=np.array(["odir5k"] * 48))).repeat(8, 1)
    allowed[:, OTHER] = 0
    first, again = (
        augment.augment_laterality(photos, allowed, BatchRandom(seeded_generator(3), 384)) for _ in range(2)
    )
    assert torch.equal(first[0], again[0])
    assert 0 <= float(first[0].min()) <= float(first[0].max()) <= 1
    n_allowed = first[1].sum(dim=1)
    assert set(n_allowed.tolist()) == {1.0, 5.0}  # 5: not used, the disc is between central and lateral
    is_other = (n_allowed == 1) & (first[1][:, OTHER] == 1)
    assert 0.1 < is_other.float().mean() < 0.4


def test_the_loss_is_that_of_all_allowed_classes_together() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.1, 0.3, 0.05, 0.05], [0.2, 0.2, 0.2, 0.2, 0.2]]))
    allowed = torch.tensor([[1.0, 0, 1, 0, 0], [1.0, 1, 1, 1, 1]])
    loss = MarginalLoss()(torch.nn.Identity(), logits, allowed)["loss"]
    assert float(loss) == pytest.approx(-np.log(0.8) / 2, abs=1e-6)


def test_photographs_are_split_by_patient_and_cached(tmp_path: Path) -> None:
    sources = ("odir5k", "eyepacs", "eyepacs_equalized", "eyeq", "eyepacs_test", "srahim", "messidor2", "idrid")
    for number, source in enumerate(sources):
        (tmp_path / source).mkdir()
        (tmp_path / source / "labels.csv").write_text("file,grade,eye,patient\na.png,0,right,7\nb.png,0,,8\n")
        for name in "ab":
            draw_fundus(FundusDrawing(seed=number, scale=0.2)).save(tmp_path / source / f"{name}.png")
    photos = load_laterality_set(tmp_path, tmp_path / "cache")
    assert sorted(photos.sources.tolist()) == sorted([*sources, "messidor2", "idrid"])  # theirs without an eye too
    assert photos.eyes.tolist().count("") == 2
    assert set(photos.splits[np.isin(photos.sources, ["eyepacs_test", "srahim"])]) == {TEST}
    assert len(set(photos.splits[np.isin(photos.sources, ["eyepacs", "eyepacs_equalized", "eyeq"])])) == 1
    for file in tmp_path.rglob("*.png"):
        file.unlink()
    assert np.array_equal(load_laterality_set(tmp_path, tmp_path / "cache").pixels, photos.pixels)
    splits = [split_of(f"odir5k:{i}") for i in range(400)]
    assert [splits.count(split) / 400 for split in (TRAIN, VALIDATION, TEST)] == pytest.approx(
        [0.7, 0.1, 0.2], abs=0.07
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LateralityNet]:
    folder = tmp_path_factory.mktemp("runs") / "laterality"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "PHOTOS_PER_EPOCH", 64)
        config = dataclasses.replace(CONFIG, epochs=2, batch_size=16)
        return folder, train_laterality(config, toy_set(), run=folder)


def test_a_trained_network_is_released_with_calibration_and_metrics(
    run: tuple[Path, LateralityNet], tmp_path: Path
) -> None:
    photos, (folder, network) = toy_set(), run
    assert (folder / "best.safetensors").is_file()
    release(network, photos, CONFIG, folder=tmp_path)
    served = LateralityNetwork.load(tmp_path)
    (logits,) = served.session.run(None, {"photos": photos.pixels[:8]})
    assert np.allclose(logits, train.logits_of(network, photos.pixels[:8]), atol=0.05)
    assert (tmp_path / "network.onnx").stat().st_size < 600_000


def perfect_logits(photos: LateralitySet, scale: float) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    return np.where(np.arange(5) == np.where(photos.eyes == "right", RIGHT, LEFT)[:, None], scale, 0.0)


def test_metrics_are_those_of_the_test_split() -> None:
    photos = toy_set(96)
    calibration = Calibration(temperature=1.0, p_rotated=0.1, min_confidence=0.9)
    by_view = {view.tobytes(): logits for view, logits in zip(photos.pixels, perfect_logits(photos, 9.0), strict=True)}
    unknown = np.array([0.0, 0, 0, 0, 9])
    metrics = evaluate(
        photos, lambda views: np.array([by_view.get(np.asarray(v).tobytes(), unknown) for v in views]), calibration
    )
    row = metrics["by_source"]["odir5k"]
    assert (row["n"], row["n_wrong"]) == (int(((photos.sources == "odir5k") & (photos.splits == TEST)).sum()), 0)
    assert row["answered"][0] == row["right"][0] == 1
    assert set(metrics["answered_if_changed"].values()) == {0.0}


def test_the_limit_for_an_answer_follows_from_the_validation_split() -> None:
    photos = toy_set(96)
    logits = perfect_logits(photos, 4.0)
    held_out = photos.where(VALIDATION)
    safe = fit_calibration(photos, logits[held_out])
    flipped = logits[held_out].copy()
    flipped[::3] = flipped[::3][:, [1, 0, 2, 3, 4]]  # a third is wrong
    unsafe = fit_calibration(photos, flipped)
    assert safe.min_confidence == 0.8
    assert unsafe.temperature > safe.temperature
    _, confidence = likelier_eyes(unsafe.probabilities(flipped))
    assert not (confidence >= unsafe.min_confidence).any()
