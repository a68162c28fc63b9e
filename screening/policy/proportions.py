"""Proportions with their confidence intervals."""

import math
from dataclasses import dataclass

Z_95 = 1.959964
"""The 97.5 % quantile of the standard normal distribution: of a two-sided interval of 95 %."""


@dataclass(frozen=True, slots=True)
class Proportion:
    """``n_positive`` of ``n``, with the Wilson interval of 95 % (Wilson, J Am Stat Assoc 1927; 22: 209-212)."""

    n_positive: int
    n: int

    @property
    def value(self) -> float | None:
        """None of nothing."""
        return self.n_positive / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper limit, within 0 and 1; None of nothing."""
        if not self.n:
            return None
        p, n, z2 = self.n_positive / self.n, self.n, Z_95**2
        centre = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = Z_95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
        return max(0.0, centre - half), min(1.0, centre + half)
