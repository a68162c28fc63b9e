"""Visual acuity: what is written on a chart, as logMAR (the logarithm of the minimum angle of resolution).

Conversion: Holladay, J Refract Surg 1997; 13: 388-391.
"""

import math
import re
from enum import StrEnum


class Correction(StrEnum):
    """How the eye was corrected while its acuity was measured."""

    UNAIDED = "unaided"
    GLASSES = "glasses"
    PINHOLE = "pinhole"


MIN_LOGMAR = -0.3
"""Best acuity that is accepted, 6/3. Default of this project without a source: a better one is a typing error. No site
can change it."""
MAX_LOGMAR = 3.0
"""Worst acuity that is accepted. Default of this project without a source: the value of no perception of light below.
No site can change it."""
LETTERS = {"CF": 1.85, "HM": 2.3, "PL": 2.7, "NPL": 3.0}
"""logMAR of acuities in words. Source of counting fingers and hand movements: Schulze-Bonsel et al., Invest Ophthalmol
Vis Sci 2006; 47: 1236-1240 (decimal 0.014 and 0.005). Perception of light and none were not measurable there: default
of this project without a source, so that they order. No site can change it."""
_SNELLEN = re.compile(r"(\d+(?:\.\d+)?)\s*/\s*(\d+(?:\.\d+)?)")
_LOGMAR = re.compile(r"(?:logmar\s*)([+-]?\d(?:\.\d+)?)")
_DECIMAL = re.compile(r"[012](?:\.\d+)?")
_DISTANCES = {"6", "20", "5", "4"}
"""Distances of Snellen charts: metres, and 20 feet."""


class AcuityError(ValueError):
    """The text is no visual acuity that can be read."""


def logmar_of(text: str) -> float:
    """logMAR of an acuity as it is written, to 2 decimals: 6/12, 20/40, 0.5 (decimal), "logMAR 0.3", CF, HM, PL, NPL.

    Raises AcuityError if it is not one of these, or out of range.
    """
    written = text.strip().replace(",", ".")
    if written.upper() in LETTERS:
        return LETTERS[written.upper()]
    value = _from_numbers(written.lower())
    if not MIN_LOGMAR <= value <= MAX_LOGMAR:
        raise AcuityError("This visual acuity is out of range: it lies between 6/3 and 6/6000.")
    return round(value, 2) + 0.0  # no minus zero


def _from_numbers(written: str) -> float:
    if found := _LOGMAR.fullmatch(written):
        return float(found[1])
    if found := _SNELLEN.fullmatch(written):
        distance, letter = found[1], float(found[2])
        if distance not in _DISTANCES or not letter:
            raise AcuityError("Write a Snellen acuity as 6/12 or 20/40.")
        return math.log10(letter / float(distance))
    if _DECIMAL.fullmatch(written) and float(written):
        return -math.log10(float(written))
    raise AcuityError("Write the visual acuity as 6/12, 20/40, 0.5, logMAR 0.3, or CF, HM, PL, NPL.")
