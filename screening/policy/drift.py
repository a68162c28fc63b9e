"""Drift of photographs: whether those of a week differ from those of a reference period, by their measurements.

Two measures of the difference, and a rule for alarms. With few photographs a difference is often large by accident, so
an alarm needs both: a difference that matters, and one that is rare without a change. The limits of the index are a
rule of thumb that is used without reference to rates of errors (Yurdakul and Naranjo): alone they are never an alarm.
"""

import datetime
import math
import random
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

PSI_NOTABLE = 0.1
"""Population stability index from which a difference is notable. Source: Yurdakul and Naranjo, J Risk Model
Validation 2020, abstract read: the rule of thumb in banks, without error rates. No site can change it."""
PSI_LARGE = 0.25
"""Population stability index from which a difference is large. Source: Yurdakul and Naranjo, J Risk Model Validation
2020, abstract read: "significant change, action required". No site can change it."""
WEEKS_OF_QUARTER = 13
"""Weeks of a quarter, in each of which all measurements are compared. Default of this project without a source: a fact
of the calendar. No site can change it."""
REFERENCE_WEEKS = 12
"""Weeks before the compared one that are its reference. Default of this project without a source: about a quarter. No
site can change it."""
FALSE_ALARMS_A_QUARTER = 0.5
"""Expected false alarms of a site in a quarter at most, if nothing changes (Bonferroni over measurements and weeks).
Default of this project without a source: half of the one that a manager would accept. No site can change it."""
MIN_PHOTOGRAPHS = 30
"""Photographs of the week, or of its reference, below which nothing is compared. Default of this project without a
source. No site can change it."""
N_BINS = 10
"""Bins of a measurement, with equally many photographs of the reference in each. Source: the default of the function
``psi`` of PDtoolkit (CRAN), manual read. No site can change it."""
N_PICTURES = 10
"""Photographs of the week, and of its reference, that are shown. Default of this project without a source: they fit on
a screen. No site can change it."""

MAX_EXACT_STEPS = 40_000
"""Photographs of the week times those of its reference up to which p is exact, as that takes long. Default of this
project without a source. No site can change it."""


class Feature(StrEnum):
    """What is compared."""

    CAMERA = "camera"
    QUALITY = "quality"
    P_REFERABLE = "p_referable"
    BRIGHTNESS = "brightness"
    REDNESS = "redness"
    FOCUS = "focus"
    FIELD_SIZE = "field_size"


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one measurement in a week. ``p`` is the probability of a difference this large without a change.

    ``n`` and ``n_reference`` are the photographs of the week and of its reference.
    """

    psi: float
    p: float
    n: int
    n_reference: int

    @property
    def is_comparable(self) -> bool:
        return min(self.n, self.n_reference) >= MIN_PHOTOGRAPHS

    def is_alarm(self, n_features: int = len(Feature)) -> bool:
        """Whether it is large, and rarer than the false alarms that are accepted for this number of measurements."""
        limit = FALSE_ALARMS_A_QUARTER / (WEEKS_OF_QUARTER * n_features)
        return self.is_comparable and self.psi >= PSI_NOTABLE and self.p < limit


def last_whole_week(today: datetime.date) -> tuple[datetime.date, datetime.date]:
    """Monday and Sunday of the week before that of ``today``."""
    end = today - datetime.timedelta(days=today.weekday() + 1)
    return end - datetime.timedelta(days=6), end


def reference_of(week_from: datetime.date) -> tuple[datetime.date, datetime.date]:
    """The first and the last day of the weeks that a week is compared with."""
    return week_from - datetime.timedelta(weeks=REFERENCE_WEEKS), week_from - datetime.timedelta(days=1)


def sample_pictures(ids: Iterable[str], seed: str) -> list[str]:
    """At most N_PICTURES of some photographs at random, the same ones for the same seed."""
    ordered = sorted(ids)
    return random.Random(seed).sample(ordered, min(N_PICTURES, len(ordered)))  # noqa: S311 (no secret)


def compare_values(reference: Sequence[float], week: Sequence[float]) -> Difference:
    """The difference of a number, such as brightness: the index over deciles, p by Kolmogorov and Smirnov."""
    limits = bin_limits(reference)
    counts = [binned(values, limits) for values in (reference, week)]
    return Difference(stability_index(*counts), kolmogorov_smirnov(reference, week)[1], len(week), len(reference))


def compare_codes(reference: Mapping[str, int], week: Mapping[str, int]) -> Difference:
    """The difference of a code, such as the camera: the index, p by the test of homogeneity of chi-square."""
    psi, p = stability_index(reference, week), homogeneity(reference, week)
    return Difference(psi, p, sum(week.values()), sum(reference.values()))


def stability_index(reference: Mapping[str, int], week: Mapping[str, int]) -> float:
    """Population stability index: the sum of (q - p) ln(q / p) over codes, with fractions p and q. 0 without counts."""
    n, m = sum(reference.values()), sum(week.values())
    if not n or not m:
        return 0.0
    least = 0.5  # a count in place of 0, so that a code that is new has a finite index
    pairs = ((max(week.get(c, 0), least) / m, max(reference.get(c, 0), least) / n) for c in {*reference, *week})
    return sum((q - p) * math.log(q / p) for q, p in pairs)


def bin_limits(reference: Sequence[float]) -> list[float]:
    """Upper limits of bins with equally many values each, without the last one; fewer if values are equal."""
    ordered = sorted(reference)
    limits = [ordered[len(ordered) * k // N_BINS] for k in range(1, N_BINS)] if ordered else []
    return sorted(set(limits))


def binned(values: Iterable[float], limits: Sequence[float]) -> dict[str, int]:
    """Numbers of values in each bin."""
    found: dict[str, int] = {}
    for value in values:
        code = str(bisect_right(limits, value))
        found[code] = found.get(code, 0) + 1
    return found


def kolmogorov_smirnov(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Largest distance of the distributions of two samples, and its two-sided p-value; (0, 1) of nothing.

    Hodges, Ark Mat 1958; 3: 469-486: the exact probability that a random order of both samples stays below the
    distance. Its time grows with the product of the numbers; above MAX_EXACT_STEPS, Kolmogorov's limit is used.
    """
    n, m = len(first), len(second)
    if not n or not m:
        return 0.0, 1.0
    a, b = sorted(first), sorted(second)
    steps = max(abs(bisect_right(a, x) * m - bisect_right(b, x) * n) for x in (*a, *b))  # the distance times n m
    p = 1.0 - _p_below(n, m, steps) if n * m <= MAX_EXACT_STEPS else _p_of_large(n, m, steps)
    return steps / (n * m), p


def _p_of_large(n: int, m: int, steps: int) -> float:
    """Kolmogorov's limit of the p-value, a series that alternates."""
    x = steps / (n * m) * math.sqrt(n * m / (n + m))
    if x < 0.3:  # p is above 0.99999, and the series converges slowly
        return 1.0
    terms = (math.exp(-2 * (k * x) ** 2) for k in range(1, 30))
    return min(1.0, max(0.0, 2 * sum(term if k % 2 == 0 else -term for k, term in enumerate(terms))))


def _p_below(n: int, m: int, steps: int) -> float:
    """Probability that a path of n and m steps in random order never reaches the distance."""
    row = [0.0] * (m + 1)
    for i in range(n + 1):
        for j in range(m + 1):
            if abs(i * m - j * n) >= steps:
                row[j] = 0.0
            elif not i and not j:
                row[j] = 1.0
            else:
                row[j] = (row[j] * i + (row[j - 1] * j if j else 0.0)) / (i + j)
    return row[m]


def homogeneity(reference: Mapping[str, int], week: Mapping[str, int]) -> float:
    """p-value of Pearson's chi-square that two counts have one distribution; 1 with fewer than two codes."""
    codes = [code for code in {*reference, *week} if reference.get(code, 0) + week.get(code, 0)]
    n, m = sum(reference.values()), sum(week.values())
    if len(codes) < 2 or not n or not m:
        return 1.0
    value = 0.0
    for code in codes:
        both = reference.get(code, 0) + week.get(code, 0)
        for observed, total in ((reference.get(code, 0), n), (week.get(code, 0), m)):
            expected = both * total / (n + m)
            value += (observed - expected) ** 2 / expected
    return _chi_square_tail(value, len(codes) - 1)


def _chi_square_tail(value: float, k: int) -> float:
    """P(chi-square with k degrees of freedom > value), by the series of its density for two degrees fewer each time."""
    half = value / 2
    tail, term = (math.exp(-half), math.exp(-half)) if k % 2 == 0 else (math.erfc(math.sqrt(half)), 0.0)
    begin = 2 if k % 2 == 0 else 1
    if begin == 1 and k > 1:
        term = math.sqrt(2 * value / math.pi) * math.exp(-half) if value else 0.0
        tail, begin = tail + term, 3
    for degrees in range(begin, k, 2):
        term *= value / degrees
        tail += term
    return min(1.0, tail)
