"""Network that recognises the eye: on which side of the fovea does the optic disc lie? ONNX Runtime only.

It is the same for every bundle, so it is stored in this package. ``ml.training.laterality`` trains and exports it.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import onnxruntime
from PIL import Image

from ml.errors import BundleError
from ml.serving.onnx_sessions import open_verified, signature_of
from ml.serving.preprocess import FundusCrop
from ml.vocabulary import Laterality

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Holds network.onnx and network.json: its hash, the calibration, and how it was trained and measured.
FOLDER = Path(__file__).parent
WEIGHTS, DESCRIPTION = "network.onnx", "network.json"
VIEW_SIDE_PX = 96
#: Classes: a right and a left eye upright, both turned by 180 degrees, and no macula-centred photograph.
RIGHT, LEFT, RIGHT_ROTATED, LEFT_ROTATED, OTHER = range(5)
N_CLASSES = 5
EYES = {RIGHT: Laterality.RIGHT, LEFT: Laterality.LEFT}


@dataclass(frozen=True, slots=True)
class LateralityEstimate:
    """The eye that a photograph shows, None if that is not clear; ``confidence`` in [0, 1] of the likelier eye."""

    laterality: Laterality | None
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """``temperature`` divides the logits; ``p_rotated`` is the prior of a photograph turned by 180 degrees.

    There is an answer from ``min_confidence`` on.
    """

    temperature: float
    p_rotated: float
    min_confidence: float

    def probabilities(self, logits: "NDArray[np.floating]") -> "NDArray[np.float64]":
        """(..., 5) -> (..., 5) probabilities of the classes. In training both orientations are equally frequent."""
        log_prior = np.zeros(N_CLASSES)
        log_prior[[RIGHT, LEFT]] = np.log(2 * (1 - self.p_rotated))
        log_prior[[RIGHT_ROTATED, LEFT_ROTATED]] = np.log(2 * self.p_rotated)
        scaled = logits.astype(np.float64) / self.temperature + log_prior
        exponentials = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
        probabilities: NDArray[np.float64] = exponentials / exponentials.sum(axis=-1, keepdims=True)
        return probabilities


@dataclass(frozen=True, slots=True)
class LateralityNetwork:
    """A loaded network with its calibration; safe to share between threads."""

    session: onnxruntime.InferenceSession
    calibration: Calibration

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Self:
        """Read and verify. Raises BundleError if a file is missing, altered or of another kind."""
        try:
            description: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text())
            calibration = Calibration(**description["calibration"])
            return cls(load_session(folder / WEIGHTS, sha256=description["weights"]["sha256"]), calibration)
        except (OSError, KeyError, TypeError, ValueError) as error:
            message = f"The laterality network cannot be read: {error}. Restore {folder} from the release."
            raise BundleError(message) from None

    def estimate(self, crop: FundusCrop) -> LateralityEstimate:
        """Recognise the eye of a macula-centred photograph; no eye for any other."""
        (logits,) = self.session.run(None, {"photos": square_view(crop)[None]})
        if not np.isfinite(logits).all():
            return LateralityEstimate(None, 0.0)  # a failure is never a plausible result
        probabilities = self.calibration.probabilities(logits[0])
        likelier = max(EYES, key=lambda eye: float(probabilities[eye]))
        confidence = float(probabilities[likelier])
        is_clear = confidence >= self.calibration.min_confidence
        return LateralityEstimate(EYES[likelier] if is_clear else None, confidence)


def square_view(crop: FundusCrop) -> "NDArray[np.uint8]":
    """Crop of any side -> network input (96, 96, 3) uint8, as photographed."""
    side = (VIEW_SIDE_PX, VIEW_SIDE_PX)
    # reducing_gap: pixels are averaged in integer blocks first, in half of the time
    return np.asarray(crop.image.resize(side, Image.Resampling.BOX, reducing_gap=1.0))


def recognise_laterality(crop: FundusCrop) -> LateralityEstimate:
    """Recognise the eye of a crop with the released network. Raises BundleError as ``load`` does."""
    return released_network().estimate(crop)


@lru_cache(maxsize=1)
def released_network() -> LateralityNetwork:
    """The network of this package, loaded once."""
    return LateralityNetwork.load()


def load_session(weights: Path, *, sha256: str) -> onnxruntime.InferenceSession:
    """Verify and load a graph. Raises BundleError if it is altered or another network, OSError if it is missing."""
    session = open_verified(weights, sha256=sha256)
    shape = [VIEW_SIDE_PX, VIEW_SIDE_PX, 3]
    inputs, outputs = signature_of(session)
    is_fitting = list(inputs) == ["photos"] and inputs["photos"][1:] == shape
    if not is_fitting or [each[1] for each in outputs.values()] != [N_CLASSES]:
        raise BundleError(f"{weights} is another network: it does not recognise eyes.")
    return session
