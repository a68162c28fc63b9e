"""Image quality assessment (IQA): good, usable with limits or ungradable, and why?

Logistic models of hand-crafted features and of a small network's outputs decide whether it is a fundus photograph and
whether a reader would grade it; another one, whether it is sharp enough for small lesions. Quality rules give the
reasons. numpy, Pillow and ONNX Runtime only.
"""

import json
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from ml.errors import BundleError
from ml.prediction import Measurements
from ml.serving.preprocess import FundusCrop
from ml.serving.quality.cells import cells_of
from ml.serving.quality.coefficients import Coefficients, Limits, QualityRule, Scores, sha256_of
from ml.serving.quality.colors import p_retinal_colors, released_model
from ml.serving.quality.features import extract_features
from ml.serving.quality.highlights import highlight_fraction
from ml.serving.quality.network import NETWORK_OUTPUTS, QualityNetwork, network_view, square_view
from ml.serving.quality.sharpness import SharpnessFeatures, extract_sharpness
from ml.vocabulary import QualityLevel, QualityReason

#: Holds network.onnx and network.json: hashes, coefficients, and how both were trained and measured.
FOLDER = Path(__file__).parent
WEIGHTS, DESCRIPTION = "network.onnx", "network.json"
#: p_gradable of a refused photograph; an accepted one has at least 0.5 x 0.5 (Limits), so they never overlap.
MAX_P_REFUSED = 0.2
EXPOSURE = {QualityReason.TOO_DARK, QualityReason.TOO_BRIGHT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Result for one photograph. Good means no reason, every other level at least one.

    ``measurements`` is None if it is not a photograph of one retina.
    """

    p_gradable: float
    level: QualityLevel
    reasons: tuple[QualityReason, ...] = ()
    measurements: Measurements | None = None


#: Mean log of red over green; that of the least red of 99.9 % of good photographs is -0.05.
MIN_REDNESS = -0.05
FALSE_COLORS = Quality(p_gradable=0.0, level=QualityLevel.UNGRADABLE, reasons=(QualityReason.NOT_COLOR,))


@dataclass(frozen=True, slots=True)
class QualityGate:
    """Network and coefficients; safe to share between threads."""

    network: QualityNetwork
    coefficients: Coefficients

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Self:
        """Read and verify. Raises BundleError if a file is missing, altered or of another kind."""
        try:
            description: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text())
            content = description["coefficients"]
            if sha256_of(content) != description["coefficients_sha256"]:
                raise BundleError(f"The coefficients in {folder / DESCRIPTION} were altered. Restore the release.")
            network = QualityNetwork.load(folder / WEIGHTS, sha256=description["weights"]["sha256"])
            return cls(network, Coefficients.from_json(content))
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise BundleError(f"The quality gate cannot be read: {error}. Restore {folder} from the release.") from None

    def assess(self, crop: FundusCrop | None) -> Quality:
        """Assess a crop (None: no field of view was detected); the same for any side from 100 px."""
        cells = None if crop is None else cells_of(crop)
        found = extract_features(crop, cells) if crop is not None else None
        if crop is None or cells is None or found is None:
            return Quality(p_gradable=0.0, level=QualityLevel.UNGRADABLE, reasons=(QualityReason.NO_RETINA,))
        if crop.layout_reason is not None:
            return Quality(p_gradable=0.0, level=QualityLevel.UNGRADABLE, reasons=(crop.layout_reason,))
        features = asdict(found)
        sharpness = extract_sharpness(crop)
        scores = self.scores(crop, features, sharpness)
        quality = decide(features, self.coefficients, diameter_px=crop.fov.diameter_px, scores=scores)
        quality = self._with_colors(quality, features, p_retinal_colors(cells))
        return replace(quality, measurements=_measurements(crop, features, sharpness))

    def _with_colors(self, quality: Quality, features: dict[str, float], p_colors: float) -> Quality:
        """The quality, or that of false colours; bad light or haze, which also takes colours away, is named first."""
        model = released_model()
        is_red = features["redness"] > MIN_REDNESS
        is_colorful = features["colorfulness"] >= self.coefficients.limits.min_colorfulness
        is_dark, is_bright = (each in quality.reasons for each in (QualityReason.TOO_DARK, QualityReason.TOO_BRIGHT))
        if not quality.level.is_gradable and is_red and (is_dark or (is_bright and is_colorful)):
            return quality
        is_doubtful = quality.level.is_gradable or QualityReason.NO_RETINA in quality.reasons
        limit = model.min_p if is_doubtful else model.surely_false_p
        return FALSE_COLORS if p_colors < limit else quality

    def scores(self, crop: FundusCrop, features: dict[str, float], sharpness: SharpnessFeatures | None) -> Scores:
        """Probabilities of fundus, gradable and sharp, and the fraction of reflections."""
        view = square_view(crop)
        outputs = self.network.outputs(network_view(view)[None])[0]  # (n,)
        if not np.isfinite(outputs).all():
            return Scores(p_fundus=0.0, p_gradable=0.0, p_sharp=0.0)  # a failure is never a plausible result
        values = features | dict(zip(NETWORK_OUTPUTS, outputs.tolist(), strict=True))
        known = None if sharpness is None else asdict(sharpness)
        return self.coefficients.scores(values, known, highlights=highlight_fraction(view))


def _measurements(crop: FundusCrop, features: dict[str, float], sharpness: SharpnessFeatures | None) -> Measurements:
    _left, top, _right, bottom = crop.box
    return Measurements(
        brightness=features["brightness"],
        redness=features["redness"],
        focus=None if sharpness is None else sharpness.fine_to_coarse,
        field_size=bottom - top,
    )


def assess_quality(crop: FundusCrop | None) -> Quality:
    """Assess a crop with the released gate.

    The photograph must be decoded to at least 100 px across the field of view, or in full, as by ``crop_fundus``.
    """
    return released_gate().assess(crop)


@lru_cache(maxsize=1)
def released_gate() -> QualityGate:
    """The gate of this package, loaded once. Raises BundleError as ``load`` does."""
    return QualityGate.load()


def decide(features: dict[str, float], coefficients: Coefficients, *, diameter_px: float, scores: Scores) -> Quality:
    """The level, and the reasons unless it is good, by features, field of view and scores."""
    limits = coefficients.limits
    has_highlights = scores.highlights > limits.max_highlights
    min_p_fundus = limits.min_p_fundus_highlights if has_highlights else limits.min_p_fundus
    is_fundus = scores.p_fundus >= min_p_fundus and features["colorfulness"] >= limits.min_colorfulness
    is_refused = scores.p_gradable < limits.min_p_gradable
    reasons = [] if is_fundus else [QualityReason.NO_RETINA]
    if diameter_px < limits.min_diameter_px:
        reasons.append(QualityReason.TOO_SMALL)
    # without visible vessels it may be a very poor fundus photograph; strong lines belong to something else
    if is_fundus or features["vessel_contrast"] < limits.typical_vessel_contrast:
        reasons += _quality_reasons(features, coefficients, is_doubtful=is_refused or not is_fundus)
    else:  # in too little or too much light, nothing shows what it is
        found = _quality_reasons(features, coefficients, is_doubtful=False)
        reasons += [reason for reason in found if reason in EXPOSURE]
    limiting = _limiting_reasons(features, limits, scores)
    if is_refused and not reasons:
        reasons = limiting or [_worst_rule(features, coefficients).reason]
    p = scores.p_gradable * scores.p_fundus
    if reasons:
        return Quality(p_gradable=min(p, MAX_P_REFUSED), level=QualityLevel.UNGRADABLE, reasons=tuple(reasons))
    if scores.p_gradable < limits.min_p_good and not limiting:
        limiting = _quality_reasons(features, coefficients, is_doubtful=True)
        limiting = limiting or [_worst_rule(features, coefficients).reason]
    level = QualityLevel.USABLE if limiting else QualityLevel.GOOD
    return Quality(p_gradable=p, level=level, reasons=tuple(limiting))


def _limiting_reasons(features: dict[str, float], limits: Limits, scores: Scores) -> list[QualityReason]:
    """What limits a photograph even if it can be graded."""
    reasons = [QualityReason.BLURRED] if scores.p_sharp < limits.min_p_sharp else []
    if features["macula_hidden"] > limits.max_macula_hidden:
        reasons.append(QualityReason.MACULA_NOT_VISIBLE)
    return reasons


def _worst_rule(features: dict[str, float], coefficients: Coefficients) -> QualityRule:
    return max(coefficients.rules, key=lambda rule: rule.severity(features))


def _quality_reasons(
    features: dict[str, float], coefficients: Coefficients, *, is_doubtful: bool
) -> list[QualityReason]:
    """Reasons of the rules beyond their limit, most severe first.

    If doubtful, also of those poorer than in 97 % of good photographs.
    """
    severities = {rule: rule.severity(features) for rule in coefficients.rules}
    broken = [rule for rule, severity in severities.items() if severity > (1 if is_doubtful else rule.max_severity)]
    return list(dict.fromkeys(rule.reason for rule in sorted(broken, key=severities.__getitem__, reverse=True)))
