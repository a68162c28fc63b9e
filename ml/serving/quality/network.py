"""Network of the quality gate: scores a view of the whole photograph. ONNX Runtime only.

It is the same for every bundle, so it is stored in this package. ``ml.training.quality`` trains and exports it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import onnxruntime
from PIL import Image

from ml.errors import BundleError
from ml.serving.onnx_sessions import open_verified, signature_of
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
        session = open_verified(weights, sha256=sha256)
        shape = [INPUT_SIDE_PX, INPUT_SIDE_PX, 3]
        inputs, outputs = signature_of(session)
        if list(inputs) != ["photos"] or inputs["photos"][1:] != shape or list(outputs) != ["logits", "features"]:
            raise BundleError(f"{weights} is another network: it does not assess quality.")
        return cls(session)

    def outputs(self, views: "NDArray[np.uint8]") -> "NDArray[np.float32]":
        """(B, 128, 128, 3) uint8 -> (B, n) logits of gradable and of good, and features, named NETWORK_OUTPUTS."""
        return np.concatenate(self.session.run(None, {"photos": views}), axis=1)


def square_view(crop: FundusCrop) -> "NDArray[np.uint8]":
    """Crop of any side -> (192, 192, 3) uint8 as photographed; training augments these."""
    return np.asarray(crop.image.resize((VIEW_SIDE_PX,) * 2, Image.Resampling.BOX))


def network_view(view: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
    """(192, 192, 3) uint8 -> network input (128, 128, 3) uint8."""
    return np.asarray(Image.fromarray(view).resize((INPUT_SIDE_PX,) * 2, Image.Resampling.BILINEAR))
