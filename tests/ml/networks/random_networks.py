"""Networks with random weights whose outputs differ between images, and bundles made of them."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ml.bundle import GRAPH_FILE, WEIGHTS_FILE, Bundle, read_bundle
from ml.networks.architectures import N_OUTPUTS, build, last_layer
from ml.networks.onnx_export import file_manifest
from ml.release.export import export_network
from ml.serving.preprocess import crop_fundus, network_input

IMAGE_SIZE = 64


def random_images(n: int, image_size: int = IMAGE_SIZE) -> torch.Tensor:
    """[n, 3, S, S] of coarse patches; a random network averages fine noise to the same features for every image."""
    patches = torch.randn(n, 3, 4, 4, generator=torch.Generator().manual_seed(n))
    return 4 * functional.interpolate(patches, size=(image_size, image_size), mode="bilinear")


def sample_inputs(bundle: Bundle, data_dir: Path) -> torch.Tensor:
    """[n, 3, S, S] of the sample photographs."""
    crops = [crop_fundus(path, side_px=bundle.image_size) for path in sorted((data_dir / "samples").glob("*.jpg"))]
    inputs = [network_input(crop, mean=bundle.mean, std=bundle.std) for crop in crops if crop is not None]
    assert len(inputs) == len(crops) > 0
    return torch.from_numpy(np.stack(inputs))


def random_network(architecture: str) -> nn.Module:
    """Random weights and batch-norm statistics of random images, in evaluation mode."""
    torch.manual_seed(4)
    network = build(architecture)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.8, 1.3)
            nn.init.normal_(module.bias, std=0.3)
            module.momentum = None  # the statistics are those of the one batch below
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.08)
    with torch.no_grad():
        network.train()(random_images(16))
    return network.eval()


def write_bundle(folder: Path, network: nn.Module, architecture: str) -> Bundle:
    """The network with the description of the released bundle."""
    folder.mkdir()
    export_network(network, folder, image_size=IMAGE_SIZE)
    content = json.loads((read_bundle().folder / "bundle.json").read_text())
    content["input"] |= {"image_size": IMAGE_SIZE}
    content |= {
        "architecture": architecture,
        "graph": file_manifest(folder / GRAPH_FILE),
        "weights": file_manifest(folder / WEIGHTS_FILE),
    }
    del content["macular_oedema"]
    if last_layer(network).out_features == N_OUTPUTS:
        content["macular_oedema"] = {"temperature": 1.0, "bias": 0.0, "operating_point": 0.5, "heatmap_full_scale": 1.0}
    (folder / "bundle.json").write_text(json.dumps(content))
    return read_bundle(folder, verify=True)
