"""Writing the ONNX files that are released: the graph, its weights, and what a description says of them."""

import hashlib
from pathlib import Path
from typing import Any

import onnx
import torch

from ml.networks.weight_format import WeightFormat, store_weights


def export_onnx_graph(
    graph: torch.nn.Module, example: torch.Tensor, path: Path, *, outputs: list[str], precision: WeightFormat
) -> None:
    """Write the graph of ``photos``, shaped like ``example`` with any batch size, to ``outputs``.

    Raises RuntimeError where the exporter fails without a word.
    """
    program = torch.onnx.export(
        graph.eval(),
        (example,),
        input_names=["photos"],
        output_names=outputs,
        dynamic_shapes={"photos": {0: torch.export.Dim("B")}},
        dynamo=True,
        verbose=False,
    )
    if program is None:
        raise RuntimeError("The ONNX exporter returned nothing.")
    program.optimize()
    model = program.model_proto
    for node in model.graph.node:  # the exporter writes the stack trace of every operation, with this machine's paths
        del node.metadata_props[:]
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
    del model.metadata_props[:], model.graph.metadata_props[:]
    onnx.save(store_weights(model, precision), path)


def weights_entry(path: Path, precision: WeightFormat) -> dict[str, Any]:
    """File name, SHA-256, size and precision of the weights."""
    content = path.read_bytes()
    return {
        "file": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "n_bytes": len(content),
        "precision": precision.value,
    }
