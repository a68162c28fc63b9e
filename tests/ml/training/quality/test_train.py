"""Training of the quality network: targets, sampling, augmentation, and the released file."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torchvision.models import mobilenet_v3_small

from ml.data.augment import BatchRandom
from ml.errors import InputError
from ml.serving.quality.network import QualityNetwork
from ml.training.batches import seeded_generator
from ml.training.quality import train as quality_train
from ml.training.quality.augment import _degrade, augment_quality
from ml.training.quality.dataset import QualitySet
from ml.training.quality.export import export_quality_onnx, outputs_of
from ml.training.quality.train import CONFIG, QualityData, QualityNet, logits_of, targets_of, train_quality
from tests.ml.training.quality.builders import toy_set


def test_a_degraded_photograph_loses_detail_or_light_and_the_augmentation_repeats() -> None:
    photos = torch.from_numpy(toy_set().pixels[::3].copy()).permute(0, 3, 1, 2)  # full of detail
    degraded, is_degraded = _degrade(photos / 255, BatchRandom(seeded_generator(1), len(photos)))
    detail = degraded.std(dim=(1, 2, 3)) / (photos / 255).std(dim=(1, 2, 3))
    assert 0 < is_degraded.sum() < len(photos)
    assert detail[is_degraded].max() < 0.45 < detail[~is_degraded].min()
    first, again = (
        augment_quality(photos, BatchRandom(seeded_generator(1), len(photos)), image_size=128)[0] for _ in range(2)
    )
    assert first.shape == (len(photos), 3, 128, 128)
    assert torch.equal(first, again)


def test_photographs_without_a_label_train_gradable_only_with_a_smaller_weight() -> None:
    targets, weights = targets_of(np.array(["good", "usable", "reject", "graded"])).unbind(dim=1)
    assert targets[:3].tolist() == [[1, 1], [1, 0], [0, 0]]
    assert weights[3, 1] == 0
    assert 0 < weights[3, 0] < weights[0, 0]


def test_degraded_photographs_are_rejects() -> None:
    data = QualityData(toy_set(), CONFIG)
    data.targets[:, 0] = 1.0
    _, targets = data.batch(2, torch.device("cpu"))
    fractions = targets[:, 0].mean(dim=1)
    assert set(fractions.tolist()) == {0.0, 1.0}
    assert fractions.mean() > 0.5


def test_rare_rejects_are_sampled_more_often_than_their_frequency() -> None:
    photos = toy_set(90)
    data = QualityData(photos.subset(np.flatnonzero((photos.labels != "reject") | (np.arange(90) < 9))), CONFIG)
    is_reject = data.photos.labels[data.indices] == "reject"
    assert data.weights[is_reject].sum() / data.weights.sum() > is_reject.mean() > 0


def initial_weights(photos: QualitySet, path: Path) -> Path:
    """Random weights with the batch statistics of the photographs."""
    torch.manual_seed(3)
    network = mobilenet_v3_small(weights=None).train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        network(torch.from_numpy(photos.pixels).permute(0, 3, 1, 2) / 127.5 - 1)
    np.savez(path, **{name: value.numpy() for name, value in network.state_dict().items()})
    return path


def test_it_learns_a_plain_difference_and_the_released_file_gives_the_same_logits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PHOTOS_PER_EPOCH": 160, "N_BLOCKS": 3, "N_CHANNELS": 24}.items():
        monkeypatch.setattr(quality_train, name, value)
    photos, run = toy_set(), tmp_path / "run"
    config = dataclasses.replace(CONFIG, epochs=2, batch_size=16, ema_decay=0.7)
    network = train_quality(config, photos, imagenet=initial_weights(photos, tmp_path / "start.npz"), run=run)
    assert "eyeq AUC" in (run / "report.md").read_text()
    onnx = tmp_path / "quality.onnx"
    export_quality_onnx(network, onnx)
    released = QualityNetwork.load(onnx, sha256=hashlib.sha256(onnx.read_bytes()).hexdigest())
    logits = outputs_of(released, photos)[:, 0]
    assert np.allclose(logits, logits_of(network, photos.pixels), atol=0.05)
    assert roc_auc_score(photos.labels != "reject", logits) > 0.9


def test_it_refuses_imagenet_weights_of_another_network(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", weight=np.zeros(3, np.float32))
    with pytest.raises(InputError):
        QualityNet(tmp_path / "other.npz")
