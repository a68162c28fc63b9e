"""Store a network's weights in fewer bits. Activations and arithmetic stay float32, so any processor runs the file.

ONNX Runtime turns the weights back into float32 once, when it loads: a file of half or a quarter of the size, the
same speed and the same memory afterwards.
"""

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_VALUES = 1024
"""Smaller arrays, such as biases, are kept whole: they weigh nothing and every rounding there reaches a whole map."""
INT8_LIMIT = 127


class WeightFormat(StrEnum):
    """How weights are stored."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


def store_weights(model: onnx.ModelProto, precision: WeightFormat) -> onnx.ModelProto:
    """The same graph, in place, with every large float32 array in ``precision`` and operations that turn it back.

    int8 has one scale for each row of the first axis (an output channel of a convolution). Raises OverflowError where
    a weight is beyond float16.
    """
    if precision is WeightFormat.FP32:
        return model
    graph = model.graph
    restoring: list[onnx.NodeProto] = []
    stored: list[onnx.TensorProto] = []
    for whole in graph.initializer:
        values = numpy_helper.to_array(whole)
        if whole.data_type != TensorProto.FLOAT or values.size < LEAST_VALUES or values.ndim < 2:
            stored.append(whole)
        elif precision is WeightFormat.FP16:
            stored.append(numpy_helper.from_array(_halved(values), f"{whole.name}.fp16"))
            restoring.append(_cast(f"{whole.name}.fp16", whole.name))
        else:
            steps, scale = _in_steps(values)
            stored.append(numpy_helper.from_array(steps, f"{whole.name}.int8"))
            stored.append(numpy_helper.from_array(scale, f"{whole.name}.scale"))
            restoring.append(_cast(f"{whole.name}.int8", f"{whole.name}.steps"))
            restoring.append(helper.make_node("Mul", [f"{whole.name}.steps", f"{whole.name}.scale"], [whole.name]))
    nodes = [*restoring, *graph.node]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(stored)
    onnx.checker.check_model(model)
    return model


def _cast(source: str, target: str) -> onnx.NodeProto:
    return helper.make_node("Cast", [source], [target], to=TensorProto.FLOAT)


def _halved(values: "NDArray[np.float32]") -> "NDArray[np.float16]":
    if float(np.abs(values).max()) > float(np.finfo(np.float16).max):
        raise OverflowError("A weight is too large for half precision. Export with --precision fp32.")
    return values.astype(np.float16)


def _in_steps(values: "NDArray[np.float32]") -> "tuple[NDArray[np.int8], NDArray[np.float32]]":
    """Whole steps in -127 to 127 of the same shape, and the size of a step for each row, shaped to multiply them."""
    rest = tuple(range(1, values.ndim))
    largest = np.abs(values).max(axis=rest, keepdims=True)  # (rows, 1, ...)
    scale = np.where(largest > 0, largest / INT8_LIMIT, 1.0).astype(np.float32)
    return np.round(values / scale).astype(np.int8), scale
