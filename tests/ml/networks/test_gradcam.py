"""The closed form is Grad-CAM: the same heatmaps as pytorch-grad-cam, without a backward pass."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from ml.bundle import read_bundle
from ml.networks.architectures import features_and_head
from ml.networks.gradcam import WithGradCAM, hardswish_derivative, logits_and_gradients
from ml.networks.weights import load_network
from tests.ml.networks.random_networks import random_images, random_network, sample_inputs


class RawGradCAM(GradCAM):  # type: ignore[misc]
    """Keeps the weighted sum that pytorch-grad-cam scales to its own maximum."""

    raw: np.ndarray

    def get_cam_image(self, *arguments: Any, **options: Any) -> Any:
        self.raw = super().get_cam_image(*arguments, **options)
        return self.raw


def reference(network: nn.Module, images: torch.Tensor, grade: int) -> np.ndarray:
    """[B, h, w] weighted sums of pytorch-grad-cam, after the ReLU."""
    last = list(features_and_head(network)[0].children())[-1]
    with RawGradCAM(model=network, target_layers=[last]) as cam:
        cam(input_tensor=images, targets=[ClassifierOutputTarget(grade)] * len(images))
        return np.asarray(np.maximum(cam.raw, 0))


def assert_same_heatmaps(network: nn.Module, images: torch.Tensor) -> None:
    with torch.inference_mode():
        logits, heatmaps = WithGradCAM(network)(images)
        assert torch.allclose(logits, network(images), atol=1e-5)
    n_cells = heatmaps.shape[2] * heatmaps.shape[3]
    expected = np.stack([reference(network, images, grade) for grade in range(logits.shape[1])], axis=1) * n_cells
    assert (expected.max(axis=(0, 2, 3)) > 0.01).sum() >= 2  # there is something to compare
    assert np.abs(heatmaps.numpy() - expected).max() < 1e-4 * max(1.0, expected.max())


@pytest.mark.parametrize("architecture", ["mobilenet_v3_small", "resnet50"])
def test_it_equals_pytorch_grad_cam_on_random_input(architecture: str) -> None:
    assert_same_heatmaps(random_network(architecture), random_images(2))


@pytest.mark.real_data
def test_it_equals_pytorch_grad_cam_on_real_photographs(data_dir: Path) -> None:
    bundle = read_bundle()
    assert_same_heatmaps(load_network(bundle), sample_inputs(bundle, data_dir)[::4])


def test_the_hardswish_derivative_is_that_of_autograd() -> None:
    x = torch.linspace(-5, 5, 201, requires_grad=True)
    (derivative,) = torch.autograd.grad(nn.functional.hardswish(x).sum(), x)
    assert torch.allclose(hardswish_derivative(x.detach()), derivative, atol=1e-6)


def test_a_layer_without_a_known_gradient_is_refused() -> None:
    with pytest.raises(TypeError, match="Sigmoid"):
        logits_and_gradients(nn.Sequential(nn.Linear(4, 4), nn.Sigmoid(), nn.Linear(4, 5)), torch.zeros(1, 4))


def test_a_heatmap_without_evidence_is_all_zero() -> None:
    network = random_network("mobilenet_v3_small")
    with torch.no_grad():
        last = network.get_submodule("classifier.3")
        last.weight.zero_()  # type: ignore[operator]
        _, heatmaps = WithGradCAM(network)(random_images(1))
    assert float(heatmaps.max()) == 0.0
