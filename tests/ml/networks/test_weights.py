"""Weights are stored once, and torch and ONNX Runtime compute the same from them."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from ml.bundle import WEIGHTS_FILE, Bundle, default_bundle, read_bundle
from ml.errors import BundleError, InputError
from ml.grader import Grader, load_session
from ml.networks.architectures import build
from ml.networks.gradcam import WithGradCAM
from ml.networks.weights import byte_ranges, load_network, stored_state
from ml.training.checkpoints import load_trained
from ml.training.train import initial_network
from ml.vocabulary import ServedModel
from tests.ml.networks.random_networks import random_images, random_network, sample_inputs, write_bundle
from tests.ml.toys import spotted_retina, toy_config


@pytest.fixture(scope="module")
def mobilenet() -> nn.Module:
    return random_network("mobilenet_v3_small")


@pytest.fixture(scope="module")
def mobilenet_bundle(mobilenet: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return write_bundle(tmp_path_factory.mktemp("bundles") / "mobilenet", mobilenet, "mobilenet_v3_small")


def assert_same_outputs(network: nn.Module, bundle: Bundle, images: torch.Tensor, *, tolerance: float = 1e-5) -> None:
    outputs = load_session(bundle).run(None, {"photos": images.numpy()})
    with torch.inference_mode():
        expected = [output.numpy() for output in WithGradCAM(network)(images)]
    for ours, theirs in zip(outputs, expected, strict=True):
        assert len(images) == 1 or np.abs(theirs - theirs.mean(axis=0)).max() > 0.01  # there is something to compare
        assert np.abs(ours - theirs).max() < tolerance * max(1.0, np.abs(theirs).max())


@pytest.mark.parametrize("n", [1, 2, 5])
def test_onnx_and_torch_agree(mobilenet_bundle: Bundle, n: int) -> None:
    assert_same_outputs(load_network(mobilenet_bundle), mobilenet_bundle, random_images(n))


def test_half_precision_changes_the_outputs_little(mobilenet: nn.Module, mobilenet_bundle: Bundle) -> None:
    assert_same_outputs(mobilenet, mobilenet_bundle, random_images(3), tolerance=2e-2)


@pytest.mark.parametrize("model", ServedModel)
def test_onnx_and_torch_agree_on_released_bundles(model: ServedModel) -> None:
    bundle = read_bundle(default_bundle(model))
    assert_same_outputs(load_network(bundle), bundle, random_images(2, bundle.image_size))


@pytest.mark.real_data
def test_onnx_and_torch_agree_on_photographs(data_dir: Path) -> None:
    bundle = read_bundle()
    assert_same_outputs(load_network(bundle), bundle, sample_inputs(bundle, data_dir))


@pytest.mark.parametrize("model", ServedModel)
def test_no_weight_is_stored_twice(model: ServedModel) -> None:
    bundle = read_bundle(default_bundle(model))
    graph = onnx.load(bundle.graph, load_external_data=False).graph
    ranges = byte_ranges(bundle.weights)
    external = {each.name for each in graph.initializer if each.data_location == onnx.TensorProto.EXTERNAL}
    assert external == {name for name in ranges if not name.endswith("num_batches_tracked")}
    embedded = sum(len(each.raw_data) for each in graph.initializer if each.name not in external)
    assert embedded < 1000
    assert not set(load_file(bundle.weights)) ^ set(build(bundle.architecture).state_dict())


def test_a_graph_holds_batch_norms_and_no_paths_of_this_machine(mobilenet: nn.Module, mobilenet_bundle: Bundle) -> None:
    graph = onnx.load(mobilenet_bundle.graph, load_external_data=False).graph
    n_norms = sum(isinstance(module, nn.BatchNorm2d) for module in mobilenet.modules())
    assert sum(node.op_type == "BatchNormalization" for node in graph.node) == n_norms > 0
    assert b".py" not in mobilenet_bundle.graph.read_bytes()


def test_large_arrays_are_float16_and_small_ones_float32() -> None:
    state = stored_state(build("mobilenet_v3_small"))
    assert state["classifier.0.weight"].dtype == torch.float16
    assert state["features.0.0.weight"].dtype == torch.float32  # 432 values
    assert state["classifier.0.bias"].dtype == torch.float32  # a vector of 1,024


def test_a_weight_beyond_half_precision_is_refused() -> None:
    layer = nn.Linear(40, 40)
    nn.init.constant_(layer.weight, 7e4)
    with pytest.raises(OverflowError, match="weight holds a weight beyond float16"):
        stored_state(layer)


def test_altered_weights_and_those_of_another_architecture_are_refused(toy_bundle: Bundle, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(toy_bundle.folder, tmp_path / "copy"))
    content = json.loads((folder / "bundle.json").read_text()) | {"architecture": "resnet50"}
    (folder / "bundle.json").write_text(json.dumps(content))
    with pytest.raises(BundleError, match="does not hold weights of a resnet50"):
        load_network(read_bundle(folder))
    (folder / WEIGHTS_FILE).write_bytes((folder / WEIGHTS_FILE).read_bytes() + b"\0")
    with pytest.raises(BundleError, match="altered"):
        load_network(read_bundle(folder))


def test_byte_ranges_hold_the_arrays(tmp_path: Path) -> None:
    arrays = {"b": torch.arange(3.0), "a": torch.arange(4, dtype=torch.int64)}
    save_file(arrays, tmp_path / "file")
    content = (tmp_path / "file").read_bytes()
    for name, (offset, n_bytes) in byte_ranges(tmp_path / "file").items():
        assert content[offset : offset + n_bytes] == arrays[name].numpy().tobytes()


def test_a_run_starts_from_a_bundle(toy_bundle: Bundle) -> None:
    network, architecture, image_size = load_trained(toy_bundle.folder)
    assert (architecture, image_size) == ("tiny", toy_bundle.image_size)
    config, expected = toy_config(init_from=str(toy_bundle.folder)), network.state_dict()
    for name, value in initial_network(config, imagenet=None).state_dict().items():
        assert torch.equal(value, expected[name])
    with pytest.raises(InputError, match="does not hold a resnet50"):
        initial_network(dataclasses.replace(config, architecture="resnet50"), imagenet=None)


@pytest.mark.real_data
def test_batch_norms_of_a_released_network_hold_the_statistics_of_photographs(data_dir: Path) -> None:
    """It can be trained on at once: in training, batch statistics take the place of the stored ones."""
    bundle = read_bundle()
    inputs = sample_inputs(bundle, data_dir)
    network = load_network(bundle)
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    with torch.no_grad():
        logits = torch.stack([network(inputs).flatten(), network.train()(inputs).flatten()])
    assert torch.corrcoef(logits)[0, 1] > 0.95


def test_a_bundle_that_is_trained_on_becomes_a_bundle_that_grades(toy_bundle: Bundle, tmp_path: Path) -> None:
    network = load_network(toy_bundle).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    loss = nn.functional.cross_entropy(network(random_images(8)), torch.arange(8) % 5)
    loss.backward()  # type: ignore[no-untyped-call]  # torch does not annotate it
    optimizer.step()
    trained = write_bundle(tmp_path / "trained", network, "tiny")
    photo = Image.fromarray(spotted_retina(3, np.random.default_rng(0)))
    before, after = (Grader.load(each.folder).grade(photo, include_ungradable=True) for each in (toy_bundle, trained))
    assert after.model_version == trained.model_version != before.model_version
    assert after.probabilities is not None
    assert after.probabilities != pytest.approx(before.probabilities, abs=1e-4)
