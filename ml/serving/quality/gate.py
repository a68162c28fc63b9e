"""Can this photograph be graded, and if not, why? A gate in plain sight before the network: numpy and Pillow only.

Two logistic functions of a few measures: is it a retina, and would a reader grade it. Every table of numbers below is
printed by ``python -m ml.data.quality_calibration``, which fits it to real photographs and reports on held-out people.
"""

import math
from dataclasses import dataclass

from ml.serving.preprocess import FundusCrop
from ml.serving.quality.features import QualityFeatures, extract_features
from ml.serving.quality.network import released
from ml.vocabulary import QualityReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The verdict on one photograph. Refused means at least one reason, accepted means none."""

    p_gradable: float
    is_gradable: bool
    reasons: tuple[QualityReason, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """One measure's part of a logistic score: weight x z + square x z^2, where z = (measure - centre) / spread."""

    measure: str
    centre: float
    spread: float
    weight: float
    square: float = 0.0


@dataclass(frozen=True, slots=True)
class QualityRule:
    """One way a measure can be bad: 0 at the median good photograph, 1 at the worst 3 % of good ones.

    Beyond ``limit``, where fewer than one in 200 of 6,000 gradable photographs lie, it is refused on this alone.
    """

    reason: QualityReason
    measure: str
    typical: float
    poor: float
    limit: float

    def badness(self, measures: QualityFeatures) -> float:
        """How far towards bad, in units of the distance from typical to poor."""
        value: float = getattr(measures, self.measure)
        return (value - self.typical) / (self.poor - self.typical)

    def is_beyond(self, measures: QualityFeatures) -> bool:
        """Whether this measure alone forbids grading."""
        return self.badness(measures) > (self.limit - self.typical) / (self.poor - self.typical)


MIN_DIAMETER_PX = 100.0
"""Of the retina on the photograph. The smallest that human readers graded (EyeQ, reduced) has 118."""
MIN_COLOURFULNESS = 5.0
"""Grey levels between the largest and the smallest channel: a grey photograph is not a colour fundus photograph. JPEG's
rounding leaves 2 in a grey picture; the least colourful of 99.8 % of graded retinas has 10."""
RETINA_LIMIT = 0.6
GRADABLE_LIMIT = 0.2
"""Chosen on both halves of the photographs for acceptance first: all 1,242 that EyeQ's readers called good pass,
99.4 % of APTOS, 96.3 % of ODIR and 94.6 % of EyeQ's usable ones, while 55 % of EyeQ's rejects are refused. On held-out
people alone: 100, 99.0, 97.1, 95.2 and 59 %; area under the curve, good and usable against reject, 0.928."""
REFUSED_AT_MOST = 0.1
"""p_gradable of a refused photograph; an accepted one has at least 0.6 x 0.2 = 0.12, so the two never overlap."""
TYPICAL_VESSELS = -1.98
"""Mean of the measure ``vessels`` over gradable photographs."""

RETINA_INTERCEPT = 9.975
RETINA = (
    Term("blood", 0.467, 0.184, -0.761, -0.541),
    Term("vessels", -1.981, 0.381, -1.034, -0.117),
    Term("redness", 0.454, 0.2, 0.058, -0.158),
    Term("patchiness", 0.086, 0.041, 0.875, -0.362),
    Term("dark_over_bright", 0.1, 0.18, 0.801, 0.017),
    Term("clumping", 1.849, 0.453, 1.049, -0.331),
    Term("fine", -3.43, 0.323, 0.485, -0.152),
    Term("coarse", -2.949, 0.347, -0.372, -0.183),
    Term("lines", -0.274, 0.059, -0.009, -0.241),
    Term("brightness", 141.097, 39.019, -1.004, -0.054),
    Term("dimmest", 66.055, 27.631, 0.317, 0.321),
    Term("colourfulness", 96.237, 42.292, 0.225, -0.054),
)
GRADABLE_INTERCEPT = 4.089
GRADABLE = (
    Term("colourfulness", 96.237, 42.292, -0.145),
    Term("patchiness", 0.086, 0.041, -0.463),
    Term("lines", -0.274, 0.059, -0.743, -0.219),
    Term("dimmest", 66.055, 27.631, 1.251),
    Term("shadow", 0.047, 0.129, -0.395),
    Term("vessels", -1.981, 0.381, 0.988, -0.175),
    Term("blood", 0.467, 0.184, -0.824),
    Term("dark_over_bright", 0.1, 0.18, -0.026),
    Term("glare", 0.003, 0.015, -0.171),
    Term("fine", -3.43, 0.323, -0.392, 0.034),
    Term("coarse", -2.949, 0.347, 0.096, 0.009),
    Term("clumping", 1.849, 0.453, 0.124, 0.103),
)
QUALITY_RULES = (
    QualityRule(QualityReason.TOO_DARK, "brightness", 144, 67, 34),
    QualityRule(QualityReason.TOO_DARK, "dimmest", 63, 23, 2),
    QualityRule(QualityReason.TOO_DARK, "shadow", 0, 0.44, 0.97),
    QualityRule(QualityReason.TOO_BRIGHT, "dimmest", 63, 119, 190),
    QualityRule(QualityReason.TOO_BRIGHT, "glare", 0, 0.04, 0.4),
    QualityRule(QualityReason.LOW_CONTRAST, "colourfulness", 98, 27, 6),
    QualityRule(QualityReason.LOW_CONTRAST, "coarse", -2.93, -3.6, -4.6),
    QualityRule(QualityReason.BLURRED, "vessels", -1.92, -2.65, -3.5),
    QualityRule(QualityReason.BLURRED, "fine", -3.41, -4.05, -5.2),
    QualityRule(QualityReason.BLURRED, "lines", -0.291, -0.174, 0.1),
    QualityRule(QualityReason.FIELD_CUT, "field", 1.01, 0.76, 0.42),
)


def assess_quality(retina: FundusCrop | None) -> Quality:
    """The verdict on what ``crop_fundus`` found (None: no disc), the same for any side from 100 px.

    Needs the photograph decoded to at least 100 px across the retina, or in full, as ``crop_fundus`` does.
    """
    measures = extract_features(retina) if retina is not None else None
    if retina is None or measures is None:
        return Quality(p_gradable=0.0, is_gradable=False, reasons=(QualityReason.NO_RETINA,))
    p_rules = evaluate(GRADABLE, GRADABLE_INTERCEPT, measures)
    p_gradable = released().p_gradable(retina, measures, p_rules)
    return judge(measures, diameter_px=retina.fov.diameter_px, p_gradable=p_gradable)


def judge(measures: QualityFeatures, *, diameter_px: float, p_gradable: float) -> Quality:
    """The verdict on a retina of these measures that a score, in [0, 1], calls gradable."""
    p_retina = evaluate(RETINA, RETINA_INTERCEPT, measures)
    is_retina = p_retina >= RETINA_LIMIT and measures.colourfulness >= MIN_COLOURFULNESS
    reasons = [] if is_retina else [QualityReason.NO_RETINA]
    if diameter_px < MIN_DIAMETER_PX:
        reasons.append(QualityReason.TOO_SMALL)
    # a disc without visible vessels may be a very poor photograph of a retina; strong lines belong to something else
    if is_retina or measures.vessels < TYPICAL_VESSELS:
        reasons += _faults(measures, is_doubtful=not is_retina or p_gradable < GRADABLE_LIMIT)
    if p_gradable < GRADABLE_LIMIT and not reasons:
        reasons.append(max(QUALITY_RULES, key=lambda f: f.badness(measures)).reason)
    p = p_gradable * p_retina
    if not reasons:
        return Quality(p_gradable=p, is_gradable=True)
    return Quality(p_gradable=min(p, REFUSED_AT_MOST), is_gradable=False, reasons=tuple(reasons))


def evaluate(terms: tuple[Term, ...], intercept: float, measures: QualityFeatures) -> float:
    """Logistic function of the terms' sum, in [0, 1]. z is held within 4, so that no measure decides without end."""
    score = intercept
    for term in terms:
        z = max(-4.0, min(4.0, (getattr(measures, term.measure) - term.centre) / term.spread))
        score += term.weight * z + term.square * z * z
    return 1 / (1 + math.exp(-score))


def _faults(measures: QualityFeatures, *, is_doubtful: bool) -> list[QualityReason]:
    """Faults beyond their limit and, of a doubtful photograph, those worse than in 97 % of good ones; worst first."""
    found = [f for f in QUALITY_RULES if f.is_beyond(measures) or (is_doubtful and f.badness(measures) > 1)]
    return list(dict.fromkeys(f.reason for f in sorted(found, key=lambda f: -f.badness(measures))))
