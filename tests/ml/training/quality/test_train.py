"""Quality is learned from readers' labels, and from nobody whom the grading networks are tested on."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torchvision.models import mobilenet_v3_small

from ml.serving.quality.gate import released_gate
from ml.serving.quality.network import QualityNetwork
from ml.training.quality.augment import augment_quality
from ml.training.quality.dataset import QualitySet
from ml.training.quality.export import export_quality_onnx, score_all
from ml.training.quality.train import QualityConfig, QualityNet, logits_of, sampling_weights, targets_of, train_quality
from tests.ml.training.quality.builders import toy_set


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
    onnx = tmp_path / "quality.onnx"
    released = QualityNetwork.load(onnx, sha256=hashlib.sha256(onnx.read_bytes()).hexdigest())
    scores = score_all(photos, released, released_gate().coefficients)
    assert np.allclose(scores.network, logits_of(network, photos.pixels), atol=0.05)
    rejects = photos.labels == "reject"
    assert roc_auc_score(~rejects, scores.network) > 0.9


def test_weights_of_another_network_are_not_taken_for_imagenet(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", weight=np.zeros(3, np.float32))
    with pytest.raises(RuntimeError):
        QualityNet(tmp_path / "other.npz")
