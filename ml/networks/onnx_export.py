"""Export of networks to ONNX, without folding batch norms, so that the graph keeps the weights that are trained."""

import hashlib
from pathlib import Path
from typing import Any

import onnx_ir as ir
import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass
from onnxscript.optimizer import fold_constants
from onnxscript.rewriter import rewrite
from onnxscript.rewriter.rules.common import remove_optional_bias_from_conv_rule
from torch import nn

from ml.networks.weights import byte_ranges, stored_state


def export_onnx(
    module: nn.Module, example: torch.Tensor, path: Path, *, outputs: list[str], weights: Path | None = None
) -> None:
    """Write the graph of ``module`` from ``photos``, shaped like ``example`` with any batch size, to ``outputs``.

    ``module`` holds its parameters in a submodule ``network``. Each initializer has the name that it has in the state
    dict of that submodule; float16 ones are cast to float32. They are stored in the graph, or, if ``weights`` is the
    safetensors file of ``network`` in the same folder, as external data in that file.
    """
    model = _traced(module, example, outputs)
    ranges = byte_ranges(weights) if weights else {}
    for name, value in stored_state(module.get_submodule("network")).items():
        initializer = model.graph.initializers.get(f"network.{name}")
        if initializer is None:  # batch norms count their batches, which no graph needs
            continue
        initializer.name = name
        tensor: ir.TensorProtocol = ir.tensor(value.numpy(), name=name)
        if weights:
            shape = ir.Shape(value.shape)
            tensor = ir.ExternalTensor(
                weights.name, *ranges[name], tensor.dtype, shape=shape, name=name, base_dir=weights.parent
            )
        _set_value(model.graph, initializer, tensor)
    ir.save(model, path)


def _traced(module: nn.Module, example: torch.Tensor, outputs: list[str]) -> ir.Model:
    program = torch.onnx.export(
        module.eval(),
        (example,),
        input_names=["photos"],
        output_names=outputs,
        dynamic_shapes=({0: torch.export.Dim("B")},),
        dynamo=True,
        optimize=False,  # NB: it would fold the batch norms
        verbose=False,
    )
    if program is None:
        raise RuntimeError("The ONNX exporter returned nothing.")
    fold_constants(program.model)
    model = rewrite(program.model, [remove_optional_bias_from_conv_rule])
    return ClearMetadataAndDocStringPass()(model).model  # the metadata hold paths of this machine


def _set_value(graph: ir.Graph, initializer: ir.Value, tensor: ir.TensorProtocol) -> None:
    """Give an initializer its stored value, and cast it for its users if that is float16."""
    initializer.const_value, initializer.dtype = tensor, tensor.dtype
    if tensor.dtype == ir.DataType.FLOAT16:
        cast = ir.node("Cast", [initializer], {"to": ir.DataType.FLOAT})
        cast.outputs[0].name = f"{initializer.name}.float32"
        users = [(node, i) for node, i in initializer.uses() if node is not cast]
        for node, i in users:
            node.replace_input_with(i, cast.outputs[0])
        graph.insert_before(graph[0], cast)


def file_manifest(path: Path) -> dict[str, Any]:
    """Name, SHA-256 and size of a file."""
    content = path.read_bytes()
    return {"file": path.name, "sha256": hashlib.sha256(content).hexdigest(), "n_bytes": len(content)}
