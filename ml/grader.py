"""The public door: ``Grader.load().grade(photo)`` -> Prediction. ONNX Runtime only; no torch."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import onnxruntime

from ml.bundle import WEIGHTS_FILE, Bundle, read_bundle, verified_files
from ml.errors import BundleError, GradingError
from ml.prediction import Prediction
from ml.serving.preprocess import FundusCrop, Photo, crop_fundus, network_input
from ml.serving.quality.gate import Quality, assess_quality
from ml.vocabulary import N_GRADES, REFERABLE_FROM, ICDRGrade

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Grader:
    """Grades photographs with one bundle. Loads once, is safe to share between threads."""

    def __init__(self, bundle: Bundle, session: onnxruntime.InferenceSession) -> None:
        self.bundle = bundle
        self._session = session

    @classmethod
    def load(cls, bundle: Path | None = None, *, threads: int = 1) -> Self:
        """Load and verify a bundle (default: the released one); ``threads`` are those of one forward pass.

        Raises BundleError where the bundle is missing, altered or foreign.
        """
        description = read_bundle(bundle)
        session = load_session(description, threads=threads)
        _refuse_foreign(description, session)
        return cls(description, session)

    def grade(self, photo: Photo, *, even_if_ungradable: bool = False) -> Prediction:
        """Grade one photograph: an open picture, the encoded bytes, or a file.

        An ungradable photograph gets reasons and no grade, unless ``even_if_ungradable``. Raises GradingError for
        what cannot be read as a photograph.
        """
        return next(self.grade_many([photo], batch=1, even_if_ungradable=even_if_ungradable))

    def grade_many(
        self, photos: Iterable[Photo], *, batch: int = 16, even_if_ungradable: bool = False
    ) -> Iterator[Prediction]:
        """Grade photographs in order, ``batch`` of them in one forward pass. Raises as ``grade`` does."""
        source = iter(photos)
        while chunk := list(islice(source, batch)):
            looked_at = [self._look(photo) for photo in chunk]
            wanted = [r for r, q in looked_at if r is not None and (q.is_gradable or even_if_ungradable)]
            outputs = iter(self._run(wanted))
            for retina, quality in looked_at:
                if retina is not None and (quality.is_gradable or even_if_ungradable):
                    yield self._prediction(retina, quality, *next(outputs))
                else:
                    yield self._without_grade(quality)

    def _look(self, photo: Photo) -> tuple[FundusCrop | None, Quality]:
        retina = crop_fundus(photo, side_px=self.bundle.side_px)
        return retina, assess_quality(retina)

    def _run(self, retinas: list[FundusCrop]) -> "list[tuple[NDArray[np.float32], NDArray[np.float32]]]":
        """Logits (K,) and Grad-CAM maps (K, h, w) of each retina."""
        if not retinas:
            return []
        inputs = np.stack([network_input(r, mean=self.bundle.mean, std=self.bundle.std) for r in retinas])
        logits, heat = self._session.run(None, {"photos": inputs})  # (B, K), (B, K, h, w)
        if not np.isfinite(logits).all():
            raise GradingError("The network gave no number for this photograph. It must be read by a person.")
        return list(zip(logits, heat, strict=True))

    def _prediction(
        self, retina: FundusCrop, quality: Quality, logits: "NDArray[np.float32]", heat: "NDArray[np.float32]"
    ) -> Prediction:
        probabilities = calibrated(logits, self.bundle)  # (K,)
        p_referable = float(min(1.0, probabilities[REFERABLE_FROM:].sum()))
        grade = decide_grade(probabilities, self.bundle.grade_cuts)
        return Prediction(
            model_version=self.bundle.model_version,
            p_gradable=quality.p_gradable,
            is_gradable=quality.is_gradable,
            quality_reasons=quality.reasons,
            grade=grade,
            probabilities=tuple(float(p) for p in probabilities),
            p_referable=p_referable,
            is_referable=p_referable >= self.bundle.operating_point,
            heatmap=np.clip(heat[grade] / self.bundle.heatmap_full_scale, 0, 1).astype(np.float32),  # (h, w)
            heatmap_box=retina.box,
        )

    def _without_grade(self, quality: Quality) -> Prediction:
        return Prediction(
            model_version=self.bundle.model_version,
            p_gradable=quality.p_gradable,
            is_gradable=False,
            quality_reasons=quality.reasons,
        )


def load_session(bundle: Bundle, *, threads: int = 1) -> onnxruntime.InferenceSession:
    """An inference session of the bundle's graph and weights, both verified. Raises BundleError."""
    graph, weights = verified_files(bundle)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_external_initializers_from_files_in_memory([WEIGHTS_FILE], [weights], [len(weights)])
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base class
        raise BundleError(f"{bundle.folder} is not a network that ONNX Runtime can load: {error}") from error


def calibrated(logits: "NDArray[np.floating]", bundle: Bundle) -> "NDArray[np.float64]":
    """(..., K) logits -> (..., K) probabilities that sum to 1."""
    scaled = logits.astype(np.float64) / bundle.temperature + np.asarray(bundle.bias)
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def decide_grade(probabilities: "NDArray[np.floating]", cuts: tuple[float, ...]) -> ICDRGrade:
    """The grade that stands for (K,) probabilities: how many of the bundle's cuts the mean grade reaches."""
    if not cuts:
        return ICDRGrade(int(probabilities.argmax()))
    return ICDRGrade(bisect_right(cuts, float(probabilities @ np.arange(N_GRADES))))


def _refuse_foreign(bundle: Bundle, session: onnxruntime.InferenceSession) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    fits = (
        [i.name for i in inputs] == ["photos"]
        and list(inputs[0].shape[1:]) == [3, bundle.side_px, bundle.side_px]
        and [o.name for o in outputs] == ["logits", "heat"]
        and outputs[0].shape[1] == N_GRADES
    )
    if not fits:
        raise BundleError(f"{bundle.graph} is a network of another kind: it does not grade retinas.")
