"""Grading of photographs: ``Grader.load(bundle).grade(photo)`` -> Prediction. ONNX Runtime only; no torch."""

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import onnxruntime

from ml.bundle import WEIGHTS_FILE, Bundle, read_bundle, verified_files
from ml.errors import BundleError, GradingError
from ml.prediction import Prediction
from ml.serving.laterality.network import recognise_laterality, released_network
from ml.serving.onnx_sessions import open_session, signature_of
from ml.serving.preprocess import FundusCrop, Photo, crop_fundus, network_input
from ml.serving.quality.gate import Quality, assess_quality, released_gate
from ml.vocabulary import N_GRADES, REFERABLE_FROM, ICDRGrade, QualityReason

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Grader:
    """Grades photographs with one bundle. Safe to share between threads."""

    def __init__(self, bundle: Bundle, session: onnxruntime.InferenceSession) -> None:
        self.bundle = bundle
        self._session = session

    @classmethod
    def load(cls, bundle: Path | None = None, *, threads: int = 1) -> Self:
        """Load and verify a bundle (default: the released one); ``threads`` are those of one forward pass.

        Raises BundleError if the bundle, the quality gate or the laterality network is missing, altered or another one.
        """
        description = read_bundle(bundle)
        session = load_session(description, threads=threads)
        _check_signature(description, session)
        released_gate()  # now: files that are damaged must not fail the first photographs
        released_network()
        return cls(description, session)

    def grade(self, photo: Photo, *, include_ungradable: bool = False) -> Prediction:
        """Grade one photograph: an open Pillow image, the encoded bytes, or a file.

        An ungradable photograph gets reasons and no grade, unless ``include_ungradable``. Raises GradingError for
        what cannot be read as a photograph.
        """
        return next(self.grade_many([photo], batch_size=1, include_ungradable=include_ungradable))

    def grade_many(
        self, photos: Iterable[Photo], *, batch_size: int = 16, include_ungradable: bool = False
    ) -> Iterator[Prediction]:
        """Grade photographs in order, ``batch_size`` of them in one forward pass. Raises as ``grade`` does."""
        remaining = iter(photos)
        while batch := list(islice(remaining, batch_size)):
            crops = [crop_fundus(photo, side_px=self.bundle.image_size) for photo in batch]
            qualities = [assess_quality(crop) for crop in crops]
            to_grade = [
                crop if quality.level.is_gradable or (include_ungradable and _is_retina(crop)) else None
                for crop, quality in zip(crops, qualities, strict=True)
            ]
            outputs = iter(self._run([crop for crop in to_grade if crop is not None]))
            for found, crop, quality in zip(crops, to_grade, qualities, strict=True):
                graded = None if crop is None else self._graded(crop, quality, *next(outputs))
                yield self._ungraded(quality, found) if graded is None else graded

    def _run(self, crops: list[FundusCrop]) -> "list[tuple[NDArray[np.float32], NDArray[np.float32]]]":
        """Logits (n_outputs,) and Grad-CAM heatmaps (n_outputs, h, w) of each crop."""
        if not crops:
            return []
        each = [network_input(crop, mean=self.bundle.mean, std=self.bundle.std) for crop in crops]
        inputs = each[0][None] if len(each) == 1 else np.stack(each)
        logits, heatmaps = self._session.run(None, {"photos": inputs})  # (B, n_outputs), (B, n_outputs, h, w)
        if not np.isfinite(logits).all():
            raise GradingError("The model gave no number for this photograph. A person must read it.")
        return list(zip(logits, heatmaps, strict=True))

    def _graded(
        self, crop: FundusCrop, quality: Quality, logits: "NDArray[np.float32]", heatmaps: "NDArray[np.float32]"
    ) -> Prediction:
        probabilities = calibrated_probabilities(logits[:N_GRADES], self.bundle.temperature, self.bundle.bias)  # (K,)
        p_referable = float(min(1.0, probabilities[REFERABLE_FROM:].sum()))
        grade = ICDRGrade(int(decide_grades(probabilities, self.bundle.cutpoints)))
        eye = recognise_laterality(crop) if quality.level.is_gradable else None
        return Prediction(
            model_version=self.bundle.model_version,
            p_gradable=quality.p_gradable,
            quality_level=quality.level,
            quality_reasons=quality.reasons,
            grade=grade,
            probabilities=tuple(float(p) for p in probabilities),
            p_referable=p_referable,
            is_referable=p_referable >= self.bundle.operating_point,
            heatmap=_scaled(heatmaps[grade], self.bundle.heatmap_full_scale),
            heatmap_box=crop.box,
            laterality=eye.laterality if eye else None,
            laterality_confidence=eye.confidence if eye else None,
            has_writing=crop.has_writing,
            measurements=quality.measurements,
            **self._oedema(quality, logits, heatmaps),
        )

    def _oedema(
        self, quality: Quality, logits: "NDArray[np.float32]", heatmaps: "NDArray[np.float32]"
    ) -> dict[str, Any]:
        """The fields of a prediction on macular oedema; no probability if the macula is not visible."""
        output = self.bundle.oedema
        if output is None:
            return {}
        if QualityReason.MACULA_NOT_VISIBLE in quality.reasons:
            return {"oedema_operating_point": output.operating_point}
        p = probability_of_oedema(float(logits[N_GRADES]), output.temperature, output.bias)
        return {
            "p_macular_oedema": p,
            "suspects_oedema": p >= output.operating_point,
            "oedema_operating_point": output.operating_point,
            "oedema_heatmap": _scaled(heatmaps[N_GRADES], output.heatmap_full_scale),
        }

    def _ungraded(self, quality: Quality, crop: FundusCrop | None) -> Prediction:
        return Prediction(
            model_version=self.bundle.model_version,
            p_gradable=quality.p_gradable,
            quality_level=quality.level,
            quality_reasons=quality.reasons,
            has_writing=crop is not None and crop.has_writing,
            measurements=quality.measurements,
        )


def _is_retina(crop: FundusCrop | None) -> bool:
    """Whether a photograph of poor quality may be graded on request: never two eyes in one picture, or a page."""
    return crop is not None and crop.layout_reason is None


def load_session(bundle: Bundle, *, threads: int = 1) -> onnxruntime.InferenceSession:
    """An inference session of the bundle's graph and weights, both verified. Raises BundleError."""
    graph, weights = verified_files(bundle)
    return open_session(graph, bundle.graph, weights={WEIGHTS_FILE: weights}, threads=threads)


def _check_signature(bundle: Bundle, session: onnxruntime.InferenceSession) -> None:
    inputs, outputs = signature_of(session)
    fits = (
        list(inputs) == ["photos"]
        and inputs["photos"][1:] == [3, bundle.image_size, bundle.image_size]
        and list(outputs) == ["logits", "heatmaps"]
        and outputs["logits"][1] == bundle.n_outputs
    )
    if not fits:
        raise BundleError(f"{bundle.graph} is not a grading network: its inputs or outputs are others.")


def _scaled(heatmap: "NDArray[np.float32]", full_scale: float) -> "NDArray[np.float32]":
    """(h, w) float32 in [0, 1]."""
    return np.asarray(np.clip(heatmap / full_scale, 0, 1), np.float32)


def probability_of_oedema(logit: float, temperature: float, bias: float) -> float:
    """Calibrated probability of referable macular oedema."""
    return 0.5 + 0.5 * math.tanh((logit / temperature + bias) / 2)


def calibrated_probabilities(
    logits: "NDArray[np.floating]", temperature: float, bias: tuple[float, ...]
) -> "NDArray[np.float64]":
    """Softmax of the logits after temperature scaling and bias: (..., K) -> (..., K)."""
    scaled = logits.astype(np.float64) / temperature + np.asarray(bias)
    exponentials = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float64] = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return probabilities


def decide_grades(probabilities: "NDArray[np.floating]", cutpoints: tuple[float, ...]) -> "NDArray[np.int64]":
    """(..., K) -> (...): number of cutpoints that the expected grade reaches; without any, the most probable grade."""
    if not cutpoints:
        return np.asarray(probabilities.argmax(axis=-1), np.int64)
    return np.asarray(np.searchsorted(cutpoints, probabilities @ np.arange(N_GRADES), side="right"), np.int64)
