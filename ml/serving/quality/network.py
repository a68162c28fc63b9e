"""Network of the quality gate: scores a view of the whole photograph. ONNX Runtime only.

It is the same for every bundle, so it is stored in this package. ``ml.training.quality`` trains and exports it.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import onnxruntime
from PIL import Image

from ml.errors import BundleError
from ml.serving.preprocess import FundusCrop

if TYPE_CHECKING:
    from numpy.typing import NDArray

VIEW_SIDE_PX = 192
#: The smallest fields of view that readers graded have 118 pixels: a finer input would show the pixel count.
INPUT_SIDE_PX = 128
#: Mean and maximum of each of 48 channels.
N_FEATURES = 96
NETWORK_OUTPUTS = ("gradable_logit", "good_logit", *(f"network_{i}" for i in range(N_FEATURES)))


@dataclass(frozen=True, slots=True)
class QualityNetwork:
    """A loaded network; safe to share between threads."""

    session: onnxruntime.InferenceSession

    @classmethod
    def load(cls, weights: Path, *, sha256: str) -> Self:
        """Verify and load.

        Raises BundleError if the file is altered or another network, OSError if it is missing.
        """
        content = weights.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise BundleError(f"{weights} was altered: its SHA-256 is not {sha256}. Restore it from the release.")
        return cls(_session(content, weights))

    def outputs(self, views: "NDArray[np.uint8]") -> "NDArray[np.float32]":
        """(B, 128, 128, 3) uint8 -> (B, n) logits of gradable and of good, and features, named NETWORK_OUTPUTS."""
        return np.concatenate(self.session.run(None, {"photos": views}), axis=1)


def square_view(crop: FundusCrop) -> "NDArray[np.uint8]":
    """Crop of any side -> (192, 192, 3) uint8 as photographed; training augments these."""
    return np.asarray(Image.fromarray(crop.pixels).resize((VIEW_SIDE_PX,) * 2, Image.Resampling.BOX))


def network_view(view: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
    """(192, 192, 3) uint8 -> network input (128, 128, 3) uint8."""
    return np.asarray(Image.fromarray(view).resize((INPUT_SIDE_PX,) * 2, Image.Resampling.BILINEAR))


def _session(content: bytes, path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base class
        raise BundleError(f"{path} is not a network ONNX Runtime can load: {error}") from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    shape = [INPUT_SIDE_PX, INPUT_SIDE_PX, 3]
    names = [o.name for o in outputs]
    if [i.name for i in inputs] != ["photos"] or list(inputs[0].shape[1:]) != shape or names != ["logits", "features"]:
        raise BundleError(f"{path} is another network: it does not assess quality.")
    return session
