"""The closed form is Grad-CAM: the same maps as pytorch-grad-cam, without a backward pass."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from ml.networks.architectures import IMAGENET_MEAN, IMAGENET_STD, features_and_head
from ml.networks.gradcam import WithGradCAM, hardswish_slope, logits_and_slopes
from ml.serving.preprocess import crop_fundus, network_input
from ml.vocabulary import N_GRADES
from tests.ml.networks.random_networks import random_images, random_network


class RawGradCAM(GradCAM):  # type: ignore[misc]
    """Keeps the weighted sum before pytorch-grad-cam stretches it to its own maximum."""

    raw: np.ndarray

    def get_cam_image(self, *arguments: Any, **options: Any) -> Any:
        self.raw = super().get_cam_image(*arguments, **options)
        return self.raw


def reference(network: nn.Module, photos: torch.Tensor, grade: int) -> np.ndarray:
    """[B, h, w] weighted sums of pytorch-grad-cam, after the ReLU."""
    last = list(features_and_head(network)[0].children())[-1]
    with RawGradCAM(model=network, target_layers=[last]) as cam:
        cam(input_tensor=photos, targets=[ClassifierOutputTarget(grade)] * len(photos))
        return np.asarray(np.maximum(cam.raw, 0))


def assert_same_maps(network: nn.Module, photos: torch.Tensor) -> None:
    with torch.inference_mode():
        logits, heat = WithGradCAM(network)(photos)
        assert torch.allclose(logits, network(photos), atol=1e-5)
    n_cells = heat.shape[2] * heat.shape[3]
    expected = np.stack([reference(network, photos, grade) for grade in range(N_GRADES)], axis=1) * n_cells
    assert (expected.max(axis=(0, 2, 3)) > 0.01).sum() >= 2  # there is something to compare
    assert np.abs(heat.numpy() - expected).max() < 1e-4 * max(1.0, expected.max())


@pytest.mark.parametrize("architecture", ["mobilenet_v3_small", "resnet50"])
def test_it_equals_pytorch_grad_cam_on_random_input(architecture: str) -> None:
    assert_same_maps(random_network(architecture), random_images(3, 96))


@pytest.mark.real_data
def test_it_equals_pytorch_grad_cam_on_real_photographs(data_dir: Path) -> None:
    photos = [crop_fundus(path, side_px=224) for path in sorted((data_dir / "samples").glob("*.jpg"))[::4]]
    inputs = [network_input(p, mean=IMAGENET_MEAN, std=IMAGENET_STD) for p in photos if p is not None]
    assert len(inputs) >= 3
    assert_same_maps(random_network("mobilenet_v3_small"), torch.from_numpy(np.stack(inputs)))


def test_the_hard_swish_slope_is_its_derivative() -> None:
    x = torch.linspace(-5, 5, 201, requires_grad=True)
    (slope,) = torch.autograd.grad(nn.functional.hardswish(x).sum(), x)
    assert torch.allclose(hardswish_slope(x.detach()), slope, atol=1e-6)


def test_a_layer_without_a_known_gradient_is_refused() -> None:
    with pytest.raises(TypeError, match="Sigmoid"):
        logits_and_slopes(nn.Sequential(nn.Linear(4, 4), nn.Sigmoid(), nn.Linear(4, 5)), torch.zeros(1, 4))


def test_a_map_without_evidence_stays_blank() -> None:
    network = random_network("mobilenet_v3_small")
    with torch.no_grad():
        last = network.get_submodule("classifier.3")
        last.weight.zero_()  # type: ignore[operator]
        _, heat = WithGradCAM(network)(random_images(1))
    assert float(heat.max()) == 0.0
