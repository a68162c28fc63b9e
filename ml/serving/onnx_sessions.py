"""ONNX Runtime sessions of verified networks: on the CPU, without threads that wait actively for work."""

import hashlib
from pathlib import Path

import onnxruntime

from ml.errors import BundleError


def open_session(
    graph: bytes, path: Path, *, weights: dict[str, bytes] | None = None, threads: int = 1
) -> onnxruntime.InferenceSession:
    """A session of the graph that was read from ``path``; ``weights`` are the files that it points into.

    Raises BundleError if ONNX Runtime cannot load it.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if weights:
        sizes = [len(content) for content in weights.values()]
        options.add_external_initializers_from_files_in_memory(list(weights), list(weights.values()), sizes)
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base class
        if not type(error).__module__.startswith(("onnxruntime", "builtins")):
            raise  # not of the network: for example, the time of the task is over
        raise BundleError(f"{path} is not a network that ONNX Runtime can load: {error}") from error


def open_verified(path: Path, *, sha256: str) -> onnxruntime.InferenceSession:
    """A session of a file that holds graph and weights.

    Raises BundleError if it was altered or cannot be loaded, OSError if it is missing.
    """
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BundleError(f"{path} was altered: its SHA-256 is not {sha256}. Restore it from the release.")
    return open_session(content, path)


def signature_of(session: onnxruntime.InferenceSession) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Names of inputs and outputs with their shapes."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    return {one.name: list(one.shape) for one in inputs}, {one.name: list(one.shape) for one in outputs}
