"""The exported graph says what the torch network says, in one forward pass."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from ml.networks.architectures import IMAGENET_MEAN, IMAGENET_STD, build
from ml.networks.gradcam import WithGradCAM
from ml.networks.weight_format import WeightFormat, store_weights
from ml.release.export import export_onnx, full_scale
from ml.serving.preprocess import crop_fundus, network_input
from tests.ml.networks.test_gradcam import lively

SIDE = 224


@pytest.fixture(scope="module")
def network() -> nn.Module:
    return lively("mobilenet_v3_small")


@pytest.fixture(scope="module")
def exported(network: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    export_onnx(network, path, side_px=SIDE)
    return path


@pytest.fixture(scope="module")
def session(exported: Path) -> onnxruntime.InferenceSession:
    content = exported.read_bytes()
    assert len(content) <= 6.5e6
    assert b".py" not in content  # no stack traces, and with them no paths of the machine that exported it
    return onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])


def assert_agree(session: onnxruntime.InferenceSession, network: nn.Module, photos: torch.Tensor) -> None:
    logits, heat = session.run(None, {"photos": photos.numpy()})
    with torch.inference_mode():
        expected_logits, expected_heat = WithGradCAM(network).eval()(photos)
    assert np.abs(logits - expected_logits.numpy()).max() < 1e-4
    assert np.abs(heat - expected_heat.numpy()).max() < 1e-4


@pytest.mark.parametrize("n", [1, 2, 5])
def test_onnx_and_torch_agree_on_random_input_of_any_batch(
    session: onnxruntime.InferenceSession, network: nn.Module, n: int
) -> None:
    assert_agree(session, network, torch.randn(n, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(n)))


@pytest.mark.real_data
def test_onnx_and_torch_agree_on_real_photographs(
    session: onnxruntime.InferenceSession, network: nn.Module, data_dir: Path
) -> None:
    retinas = [crop_fundus(path, side_px=SIDE) for path in sorted((data_dir / "samples").glob("*.jpg"))]
    inputs = [network_input(r, mean=IMAGENET_MEAN, std=IMAGENET_STD) for r in retinas if r is not None]
    assert len(inputs) == len(retinas) > 0
    assert_agree(session, network, torch.from_numpy(np.stack(inputs)))


def test_the_heatmap_scale_comes_from_diseased_grades_alone() -> None:
    logits = np.eye(5, dtype=np.float32)[[0, 2, 3]] * 9
    evidence = np.full((3, 5), 50, np.float32)
    evidence[1, 2], evidence[2, 3] = 4, 6
    assert full_scale(logits, evidence) == pytest.approx(5.8)


def test_a_resnet_read_back_from_a_run_strides_where_the_one_that_was_trained_did() -> None:
    network = build("resnet50")
    for layer in ("layer2", "layer3", "layer4"):
        assert network.get_submodule(f"{layer}.0.conv1").stride == (2, 2)
        assert network.get_submodule(f"{layer}.0.conv2").stride == (1, 1)


@pytest.mark.parametrize(("precision", "largest_share", "error"), [("fp16", 0.54, 0.01), ("int8", 0.31, 0.3)])
def test_weights_in_fewer_bits_make_a_smaller_file_that_says_nearly_the_same(
    exported: Path,
    session: onnxruntime.InferenceSession,
    tmp_path: Path,
    precision: str,
    largest_share: float,
    error: float,
) -> None:
    smaller = store_weights(onnx.load(exported), WeightFormat(precision))
    onnx.save(smaller, tmp_path / "smaller.onnx")
    assert (tmp_path / "smaller.onnx").stat().st_size < largest_share * exported.stat().st_size
    photos = np.random.default_rng(5).normal(size=(2, 3, SIDE, SIDE)).astype(np.float32)
    again = onnxruntime.InferenceSession(tmp_path / "smaller.onnx", providers=["CPUExecutionProvider"])
    (logits, heat), (expected, expected_heat) = (s.run(None, {"photos": photos}) for s in (again, session))
    assert 0 < np.abs(logits - expected).max() < error * np.abs(expected).max()
    assert np.abs(heat - expected_heat).max() < 2 * error * expected_heat.max()


def test_a_weight_beyond_half_precision_is_refused() -> None:
    values = np.full((40, 40), 7e4, np.float32)
    ends = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1, 40]) for n in ("x", "y")]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        ends[:1],
        ends[1:],
        [onnx.numpy_helper.from_array(values, "w")],
    )
    with pytest.raises(OverflowError, match="half precision"):
        store_weights(onnx.helper.make_model(graph), WeightFormat.FP16)
