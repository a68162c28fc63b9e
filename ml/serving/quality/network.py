"""The learned part of the quality gate: a small network that looks at the whole photograph. ONNX Runtime only.

It is the same for every grading bundle, so it lies in the package: quality_network.onnx, and quality_network.json with
its hash, how its score joins that of the rules, and what was measured. ``python -m ml.train_quality`` makes both.
"""

import hashlib
import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import onnxruntime
from PIL import Image

from ml.errors import BundleError
from ml.serving.preprocess import FundusCrop
from ml.serving.quality.features import QualityFeatures

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHTS = Path(__file__).with_suffix(".onnx")
DESCRIPTION = Path(__file__).with_suffix(".json")
VIEW_SIDE_PX = 192
INPUT_SIDE_PX = 128
"""The smallest discs that readers judged have 118 pixels: a finer input would show the network the pixel count."""


@dataclass(frozen=True, slots=True)
class FusionTerm:
    """One part of the joined score: weight x z, where z = (value - centre) / spread, held within 4.

    ``name`` is a measure of the rules, or ``network`` or ``rules``: the logit of either's score.
    """

    name: str
    centre: float
    spread: float
    weight: float


@dataclass(frozen=True, slots=True)
class QualityNetwork:
    """A loaded network and how its score joins the rules'; safe to share between threads."""

    session: onnxruntime.InferenceSession
    terms: tuple[FusionTerm, ...]
    intercept: float
    sha256: str

    @classmethod
    def load(cls, weights: Path = WEIGHTS, description: Path = DESCRIPTION) -> Self:
        """Read and verify. Raises BundleError where a file is missing, altered or foreign."""
        try:
            said: dict[str, Any] = json.loads(description.read_text())
            content = weights.read_bytes()
            terms = tuple(FusionTerm(**term) for term in said["score"]["terms"])
            intercept = float(said["score"]["intercept"])
            wanted = str(said["weights"]["sha256"])
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"The quality network cannot be read: {error}. Restore {weights.name} from the release."
            ) from error
        if hashlib.sha256(content).hexdigest() != wanted:
            raise BundleError(
                f"{weights} was altered: its SHA-256 is not that in {description.name}. Restore both from the release."
            )
        return cls(session=_session(content, weights), terms=terms, intercept=intercept, sha256=wanted)

    def logits(self, views: "NDArray[np.uint8]") -> "NDArray[np.float32]":
        """(B, 128, 128, 3) uint8 -> (B,) score of the network alone, a logit."""
        (out,) = self.session.run(None, {"photos": views})
        scores: NDArray[np.float32] = out
        return scores

    def p_gradable(self, retina: FundusCrop, measures: QualityFeatures, p_rules: float) -> float:
        """All that is known of a retina, the rules' score in [0, 1] among it, as one probability in [0, 1]."""
        logit = float(self.logits(network_view(square_view(retina))[None])[0])
        if not math.isfinite(logit):
            return 0.0  # no plausible verdict from a failure
        return joined(self.terms, self.intercept, measures, logit=logit, p_rules=p_rules)


def joined(
    terms: tuple[FusionTerm, ...], intercept: float, measures: QualityFeatures, *, logit: float, p_rules: float
) -> float:
    """Logistic function of the terms' sum, in [0, 1]. No single term decides without end."""
    p = min(max(p_rules, 1e-4), 1 - 1e-4)
    scores = {"network": logit, "rules": math.log(p / (1 - p))}
    score = intercept
    for term in terms:
        value = scores[term.name] if term.name in scores else float(getattr(measures, term.name))
        score += term.weight * max(-4.0, min(4.0, (value - term.centre) / term.spread))
    return 1 / (1 + math.exp(-score))


def square_view(retina: FundusCrop) -> "NDArray[np.uint8]":
    """(192, 192, 3) uint8 of a retina of any side, colours as photographed: what training changes at random."""
    return np.asarray(Image.fromarray(retina.pixels).resize((VIEW_SIDE_PX,) * 2, Image.Resampling.BOX))


def network_view(view: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
    """(192, 192, 3) uint8 -> (128, 128, 3) uint8."""
    return np.asarray(Image.fromarray(view).resize((INPUT_SIDE_PX,) * 2, Image.Resampling.BILINEAR))


@lru_cache(maxsize=1)
def released() -> QualityNetwork:
    """The network that is released with this package, loaded once. Raises BundleError as ``load`` does."""
    return QualityNetwork.load()


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
    if [i.name for i in inputs] != ["photos"] or list(inputs[0].shape[1:]) != shape or len(outputs) != 1:
        raise BundleError(f"{path} is a network of another kind: it does not judge quality.")
    return session
