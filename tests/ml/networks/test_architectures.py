"""Networks are built from ImageNet weights of every kind."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import models

from ml.networks.architectures import N_OUTPUTS, architecture_for, build, set_outputs


def test_weights_come_from_torchvision_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    source = models.mobilenet_v3_small(weights=None)
    weights = models.get_model_weights("mobilenet_v3_small").DEFAULT
    monkeypatch.setattr(type(weights), "get_state_dict", lambda *_, **__: source.state_dict())
    network = build("mobilenet_v3_small", imagenet="torchvision")
    kernel = network.get_submodule("features.0.0").weight
    assert torch.equal(torch.as_tensor(kernel), torch.as_tensor(source.get_submodule("features.0.0").weight))
    assert network.get_submodule("classifier.3").out_features == N_OUTPUTS


def test_torchvision_has_no_weights_of_a_network_of_our_own() -> None:
    with pytest.raises(ValueError, match="no weights for tiny"):
        build("tiny", imagenet="torchvision")


def test_torchvisions_own_resnet_strides_in_the_second_convolution() -> None:
    assert architecture_for("resnet50", "torchvision") == "resnet50_v1_5"
    assert architecture_for("resnet50", Path("resnet50-imagenet.npz")) == "resnet50"
    with pytest.raises(ValueError, match="resnet50_v1_5"):
        build("resnet50", imagenet="torchvision")
    assert build("resnet50_v1_5").get_submodule("layer2.0.conv2").stride == (2, 2)
    network = build("resnet50")
    for layer in ("layer2", "layer3", "layer4"):
        assert network.get_submodule(f"{layer}.0.conv1").stride == (2, 2)
        assert network.get_submodule(f"{layer}.0.conv2").stride == (1, 1)


def test_weights_from_a_file_must_fit(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    state = models.mobilenet_v3_small(weights=None).state_dict()
    halved = {k: v.numpy().astype(np.float16) if v.ndim > 1 else v.numpy() for k, v in state.items()}
    np.savez(path, **halved)
    kernel = torch.as_tensor(build("mobilenet_v3_small", imagenet=path).get_submodule("features.0.0").weight)
    assert torch.allclose(kernel, state["features.0.0.weight"], atol=1e-3)
    with pytest.raises(ValueError, match="does not hold weights of this architecture"):
        build("resnet50", imagenet=path)
    with pytest.raises(ValueError, match="Known: mobilenet_v3_small"):
        build("vgg")


@pytest.mark.parametrize("architecture", ["tiny", "mobilenet_v3_small", "resnet50"])
def test_more_outputs_keep_the_first_ones(architecture: str) -> None:
    torch.manual_seed(0)
    network = build(architecture).eval()
    images = torch.rand(2, 3, 64, 64)
    before = network(images)
    set_outputs(network, N_OUTPUTS - 1)
    assert torch.allclose(network(images), before[:, :-1])
    set_outputs(network, N_OUTPUTS)
    assert torch.allclose(network(images)[:, :-1], before[:, :-1])
    assert (network(images)[:, -1] == 0).all()
