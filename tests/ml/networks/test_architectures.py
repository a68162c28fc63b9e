"""Networks from weights of every kind; a released bundle becomes the torch network it was exported from."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn
from torchvision import models

from ml.bundle import Bundle, read_bundle
from ml.errors import BundleError, InputError
from ml.networks.architectures import architecture_for, build
from ml.networks.from_onnx import from_bundle
from ml.release.export import export_onnx
from ml.training.checkpoints import load_trained
from ml.training.train import initial_network
from tests.ml.networks.test_gradcam import lively
from tests.ml.toys import toy_config

SIDE = 64


def write_bundle(folder: Path, network: nn.Module, architecture: str) -> Bundle:
    """The released description around other weights."""
    folder.mkdir()
    export_onnx(network, folder / "model.onnx", side_px=SIDE)
    content = json.loads((read_bundle().folder / "bundle.json").read_text())
    content |= {"architecture": architecture}
    content["input"] |= {"side_px": SIDE}
    content["weights"] |= {"sha256": hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()}
    (folder / "bundle.json").write_text(json.dumps(content))
    return read_bundle(folder, verify=True)


def logits_of_graph(bundle: Bundle, photos: torch.Tensor) -> np.ndarray:
    session = onnxruntime.InferenceSession(bundle.weights, providers=["CPUExecutionProvider"])
    logits: np.ndarray = session.run(["logits"], {"photos": photos.numpy()})[0]
    return logits


def assert_same_function(network: nn.Module, bundle: Bundle, photos: torch.Tensor) -> None:
    with torch.inference_mode():
        ours = network(photos).numpy()
    expected = logits_of_graph(bundle, photos)
    assert np.abs(expected - expected.mean(axis=0)).max() > 0.01  # there is something to compare
    assert np.abs(ours - expected).max() < 1e-4 * max(1.0, np.abs(expected).max())


def random_photos(n: int, side_px: int) -> torch.Tensor:
    """[n, 3, S, S] of coarse patches: networks with random weights take fine noise for grey."""
    patches = torch.randn(n, 3, 4, 4, generator=torch.Generator().manual_seed(n))
    return 4 * nn.functional.interpolate(patches, size=(side_px, side_px), mode="bilinear")


def awake(architecture: str) -> nn.Module:
    """Random weights, but batch norms that know their input: else every photograph gets one and the same answer."""
    network = lively(architecture).train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean over all batches, here of one
    with torch.no_grad():
        network(random_photos(16, SIDE))
    return network.eval()


@pytest.fixture(scope="module", params=["tiny", "mobilenet_v3_small", "resnet50"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Bundle]:
    network = awake(request.param)
    return network, write_bundle(tmp_path_factory.mktemp("bundles") / request.param, network, request.param)


def test_a_network_comes_back_from_its_bundle(exported: tuple[nn.Module, Bundle]) -> None:
    _, bundle = exported
    assert_same_function(from_bundle(bundle), bundle, random_photos(3, SIDE))


def test_measured_statistics_leave_the_function_as_it_is_and_fit_the_photographs(
    exported: tuple[nn.Module, Bundle],
) -> None:
    _, bundle = exported
    photos = random_photos(8, SIDE)
    network = from_bundle(bundle, photos=photos)
    assert_same_function(network, bundle, random_photos(3, SIDE))
    first = next(m for m in network.modules() if isinstance(m, nn.BatchNorm2d))
    given = []
    first.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    with torch.inference_mode():
        network(photos)
    assert first.running_mean is not None
    assert first.running_var is not None
    assert torch.allclose(given[0].mean(dim=(0, 2, 3)), first.running_mean, atol=1e-4)
    assert torch.allclose(given[0].var(dim=(0, 2, 3), unbiased=False), first.running_var, rtol=1e-3, atol=1e-5)


def test_in_training_a_measured_network_does_nearly_what_it_does_in_evaluation(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "tiny", awake("tiny"), "tiny")
    photos = random_photos(16, SIDE)
    measured, neutral = from_bundle(bundle, photos=photos), from_bundle(bundle)
    expected = torch.from_numpy(logits_of_graph(bundle, photos))
    far = [float((network.train()(photos).detach() - expected).abs().max()) for network in (measured, neutral)]
    assert far[0] < 1e-2 < far[1]


def test_the_released_bundle_is_read_back_exactly() -> None:
    bundle = read_bundle()
    network, architecture, image_size = load_trained(bundle.folder)
    assert (architecture, image_size) == (bundle.architecture, bundle.side_px)
    assert_same_function(network, bundle, random_photos(2, image_size))


def test_a_run_starts_from_a_bundle(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "tiny", awake("tiny"), "tiny")
    config = toy_config(init_from=str(bundle.folder))
    assert_same_function(initial_network(config, imagenet=None), bundle, random_photos(2, SIDE))
    with pytest.raises(InputError, match="does not hold a resnet50"):
        initial_network(toy_config(init_from=str(bundle.folder), architecture="resnet50"), imagenet=None)


def test_altered_weights_are_refused(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "tiny", awake("tiny"), "tiny")
    bundle.weights.write_bytes(bundle.weights.read_bytes() + b"\0")
    with pytest.raises(BundleError, match="altered"):
        from_bundle(bundle)


def test_a_graph_of_another_architecture_is_refused(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "tiny", awake("tiny"), "mobilenet_v3_small")
    with pytest.raises(BundleError, match="not an export of mobilenet_v3_small"):
        from_bundle(bundle)


def test_weights_come_from_torchvision_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    source = models.mobilenet_v3_small(weights=None)
    weights = models.get_model_weights("mobilenet_v3_small").DEFAULT
    monkeypatch.setattr(type(weights), "get_state_dict", lambda *_, **__: source.state_dict())
    network = build("mobilenet_v3_small", imagenet="torchvision")
    kernel = network.get_submodule("features.0.0").weight
    assert torch.equal(torch.as_tensor(kernel), torch.as_tensor(source.get_submodule("features.0.0").weight))
    assert network.get_submodule("classifier.3").out_features == 5


def test_torchvision_has_no_weights_of_a_network_of_our_own() -> None:
    with pytest.raises(ValueError, match="no weights for tiny"):
        build("tiny", imagenet="torchvision")


def test_torchvisions_own_resnet_strides_in_the_second_convolution() -> None:
    assert architecture_for("resnet50", "torchvision") == "resnet50_v1_5"
    assert architecture_for("resnet50", Path("resnet50-imagenet.npz")) == "resnet50"
    with pytest.raises(ValueError, match="resnet50_v1_5"):
        build("resnet50", imagenet="torchvision")
    assert build("resnet50_v1_5").get_submodule("layer2.0.conv2").stride == (2, 2)
    assert build("resnet50").get_submodule("layer2.0.conv1").stride == (2, 2)


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
