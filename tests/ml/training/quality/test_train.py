"""Quality is learned from readers' labels, and from nobody whom the grading networks are tested on."""

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score
from torchvision.models import mobilenet_v3_small

from ml.data.cache import FundusDataset
from ml.data.splits import TEST, TRAIN
from ml.synthetic import draw_fundus, drawing_for_grade
from ml.training.quality.augment import augment_quality
from ml.training.quality.dataset import (
    FEATURES,
    QualityPhoto,
    QualitySet,
    prepare_quality,
    read_photos,
    splits_of,
    subsampled,
)
from ml.training.quality.export import Scores, export_quality_onnx, join, rejects_passed, score_all, unjoined
from ml.training.quality.train import QualityConfig, QualityNet, logits_of, sampling_weights, targets_of, train_quality
from ml.vocabulary import ICDRGrade, Laterality


def photo(source: str, person: str, label: str = "good", name: str = "x.png") -> QualityPhoto:
    return QualityPhoto(source, Path(name), label, person)


def grading_set(parts: list[int]) -> FundusDataset:
    n = len(parts)
    return FundusDataset(
        pixels=np.zeros((n, 8, 8, 3), np.uint8), grades=np.zeros(n, np.int64), sources=np.array(["eyepacs"] * n),
        groups=np.array([str(i) for i in range(n)]), splits=np.array(parts, np.int8), files=["x"] * n,
        n_duplicates=0, n_without_retina=0,
    )  # fmt: skip


def toy_set(n: int = 96, *, seed: int = 0) -> QualitySet:
    """Rejects are smooth, all others are full of detail."""
    rng = np.random.default_rng(seed)
    labels = np.array(["good", "usable", "reject"] * (n // 3))
    detail = rng.integers(30, 200, (n, 192, 192, 3))
    smooth = np.broadcast_to(rng.integers(100, 131, (n, 1, 1, 1)), detail.shape)
    pixels = np.where((labels == "reject")[:, None, None, None], smooth, detail).astype(np.uint8)
    return QualitySet(
        pixels=pixels, features=np.full((n, len(FEATURES)), np.nan), diameters_px=np.full(n, 180.0),
        sources=np.array(["eyeq"] * n), labels=labels, patients=np.array([str(i // 3) for i in range(n)]),
        splits=(np.arange(n) // 3 % 3).astype(np.int8),
    )  # fmt: skip


def test_a_person_of_the_grading_test_part_is_in_the_test_part_here() -> None:
    photos = [photo("eyeq", f"eyepacs:{i}") for i in range(3)]
    parts = splits_of(photos, grading_set([2, 1, 0]), [f"eyepacs:{i}" for i in range(3)])
    assert parts.tolist() == [2, 1, 0]


def test_both_eyes_of_a_person_whom_grading_does_not_know_are_dealt_to_one_part() -> None:
    photos = [photo("eyeq", f"eyepacs:{i // 2}") for i in range(200)]
    parts = splits_of(photos, grading_set([]), [])
    assert (parts[::2] == parts[1::2]).all()
    assert set(parts.tolist()) == {0, 1, 2}


def test_only_training_photographs_without_a_verdict_are_thinned() -> None:
    photos = [photo("odir5k", str(i), "graded") for i in range(30)] + [photo("eyeq", str(i)) for i in range(30)]
    parts = np.array([TRAIN] * 15 + [TEST] * 15 + [TRAIN] * 30, np.int8)
    kept, kept_parts = subsampled(photos, parts)
    assert len(kept) == len(kept_parts) == 5 + 15 + 30


def test_photographs_without_disc_or_verdict_are_left_out_and_the_rest_is_cropped_once(tmp_path: Path) -> None:
    folder = tmp_path / "eyeq"
    (folder / "images").mkdir(parents=True)
    draw_fundus(drawing_for_grade(ICDRGrade.NONE, Laterality.LEFT, 1)).resize((300, 300)).save(folder / "images/a.png")
    Image.new("RGB", (300, 300)).save(folder / "images/black.png")
    for source in ("eyeq", "eyepacs", "aptos2019", "odir5k"):
        (tmp_path / source).mkdir(exist_ok=True)
        rows = [("images/a.png", "good", 7), ("images/black.png", "reject", 8), ("images/b.png", "", 9)]
        with (tmp_path / source / "labels.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("file", "quality", "patient"), *(rows if source == "eyeq" else [])])
    photos = read_photos(tmp_path)
    assert [(p.label, p.patient) for p in photos] == [("good", "eyepacs:7"), ("reject", "eyepacs:8")]
    first = prepare_quality(photos, np.zeros(2, np.int8), cache=tmp_path / "cache")
    assert first.labels.tolist() == ["good"]
    assert first.pixels.shape == (1, 192, 192, 3)
    (folder / "images/a.png").unlink()
    again = prepare_quality(photos, np.zeros(2, np.int8), cache=tmp_path / "cache")
    assert np.array_equal(first.pixels, again.pixels)


def test_a_spoiled_photograph_has_less_detail_or_light_and_the_random_changes_repeat() -> None:
    photos = torch.from_numpy(toy_set().pixels[::3].copy()).permute(0, 3, 1, 2)
    x, is_spoiled = augment_quality(photos, side_px=128, random=torch.Generator().manual_seed(2))
    again, _ = augment_quality(photos, side_px=128, random=torch.Generator().manual_seed(2))
    assert x.shape == (len(photos), 3, 128, 128)
    assert torch.equal(x, again)
    assert 0 < is_spoiled.sum() < len(photos)
    spread = x.std(dim=(1, 2, 3))
    assert spread[is_spoiled].mean() < spread[~is_spoiled].mean()


def test_photographs_without_a_verdict_teach_gradable_alone_and_weigh_less() -> None:
    targets, weights = targets_of(np.array(["good", "usable", "reject", "graded"]))
    assert targets[:3].tolist() == [[1, 1], [1, 0], [0, 0]]
    assert weights[3, 1] == 0
    assert 0 < weights[3, 0] < weights[0, 0]


def test_rare_rejects_are_drawn_more_often_than_their_share() -> None:
    photos = toy_set(90)
    few = np.flatnonzero((photos.labels != "reject") | (np.arange(90) < 9))
    drawn = sampling_weights(photos, few)
    rejects = photos.labels[few] == "reject"
    assert drawn[rejects].sum() / drawn.sum() > rejects.mean()


def starting_weights(photos: QualitySet, path: Path) -> Path:
    """Random weights whose batch statistics are those of the photographs, which 60 steps alone would not reach."""
    torch.manual_seed(3)
    network = mobilenet_v3_small(weights=None).train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        network(torch.from_numpy(photos.pixels).permute(0, 3, 1, 2) / 127.5 - 1)
    np.savez(path, **{name: value.numpy() for name, value in network.state_dict().items()})
    return path


def test_training_learns_a_plain_difference_and_the_released_file_says_the_same(tmp_path: Path) -> None:
    photos = toy_set()
    config = QualityConfig(n_epochs=3, n_per_epoch=320, batch=16, ema_decay=0.8)
    network = train_quality(
        config, photos, imagenet=starting_weights(photos, tmp_path / "start.npz"), run=tmp_path / "run"
    )
    assert (tmp_path / "run" / "best.pt").exists()
    export_quality_onnx(network, tmp_path / "quality.onnx")
    scores = score_all(photos, unjoined(tmp_path / "quality.onnx"))
    assert np.allclose(scores.logits, logits_of(network, photos.pixels), atol=0.05)
    rejects = photos.labels == "reject"
    assert roc_auc_score(~rejects, scores.logits) > 0.9


def test_the_join_lets_no_group_of_gradable_photographs_pass_less_than_the_rules() -> None:
    rng = np.random.default_rng(5)
    photos = dataclasses.replace(toy_set(90), features=rng.normal(size=(90, len(FEATURES))))
    gradable = photos.labels != "reject"
    scores = Scores(
        logits=rng.normal(2.0 * gradable - 1), p_rules=1 / (1 + np.exp(-rng.normal(3.0 * gradable - 1))),
        passes_rest=rng.random(90) < 0.97,
    )  # fmt: skip
    accepted = scores.passes_rest & (scores.joined(photos, join(photos, scores)) >= 0.2)
    for label in ("good", "usable"):
        rows = (photos.labels == label) & (photos.splits == 1)
        assert accepted[rows].sum() >= scores.accepted_by_rules()[rows].sum()


@pytest.mark.parametrize(("score", "passed"), [([3, 2, 1, 0, 0, 0], 0.0), ([1, 1, 1, 1, 1, 0], 2 / 3)])
def test_rejects_are_counted_where_as_many_gradable_ones_pass(score: list[float], passed: float) -> None:
    truth = np.array([True, True, True, False, False, False])
    assert rejects_passed(truth, np.array(score, float), 1.0) == pytest.approx(passed)


def test_weights_of_another_network_are_not_taken_for_imagenet(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", weight=np.zeros(3, np.float32))
    with pytest.raises(RuntimeError):
        QualityNet(tmp_path / "other.npz")
