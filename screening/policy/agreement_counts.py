"""Agreement by counts of pairs of grades, of stored sums: kappa with its interval, sensitivity and specificity."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from screening.policy.agreement import MIN_DEFINED_FRACTION, MIN_GROUPS, Agreement, quadratic_kappa
from screening.policy.proportions import Z_95, Proportion

_UNGRADABLE, _REFERABLE = "U", "+"


@dataclass(frozen=True, slots=True)
class GradedEye:
    """What a person or the model found in an eye; ``grade`` is None if the eye is ungradable."""

    grade: int | None
    is_referable: bool

    @property
    def code(self) -> str:
        """``2+``: grade 2, referable; ``U``: ungradable."""
        return f"{_UNGRADABLE if self.grade is None else self.grade}{_REFERABLE if self.is_referable else ''}"

    @classmethod
    def from_code(cls, code: str) -> "GradedEye":
        """The inverse of ``code``."""
        grade = code.removesuffix(_REFERABLE)
        return cls(None if grade == _UNGRADABLE else int(grade), code.endswith(_REFERABLE))


Pair = tuple[GradedEye, GradedEye]
"""The reference, and what is compared with it."""


class Change(StrEnum):
    """What a reader did with the own blind grade after the model's was shown."""

    NONE = "none"
    NEARER = "nearer"
    """The signed grade is nearer to the model's."""
    FARTHER = "farther"
    """The signed grade is farther from the model's."""
    OTHER = "other"
    """Changed as far on the other side, or an ungradable eye is involved."""


def direction_of_change(blind: GradedEye, final: GradedEye, model: GradedEye) -> Change:
    """The direction in which a grade was changed after the reveal."""
    if blind.grade == final.grade:
        return Change.NONE
    if blind.grade is None or final.grade is None or model.grade is None:
        return Change.OTHER
    before, after = abs(blind.grade - model.grade), abs(final.grade - model.grade)
    if before == after:
        return Change.OTHER
    return Change.NEARER if after < before else Change.FARTHER


def agreement_of_counts(groups: Iterable[Mapping[Pair, int]]) -> Agreement:
    """The figures of pairs that are counted by group, such as the days of a period.

    As ``agreement.compute_agreement``, whose bootstrap needs each exam: here the interval of kappa is that of a
    jackknife over groups (``kappa_interval``). Both eyes of an exam are in one group.
    """
    groups = [group for group in groups if any(group.values())]
    pairs: Counter[Pair] = Counter()
    for group in groups:
        pairs.update(group)
    graded = [counts for group in groups if (counts := grade_counts(group))]
    gradable = {pair: n for pair, n in pairs.items() if pair[0].grade is not None}
    n_graded = sum(n for pair, n in gradable.items() if pair[1].grade is not None)
    return Agreement(
        n_eyes=sum(pairs.values()),
        n_graded=n_graded,
        n_ungradable=sum(pairs.values()) - n_graded,
        kappa=quadratic_kappa(_summed(graded)),
        kappa_interval=kappa_interval(graded),
        sensitivity=_referred(gradable, is_referable=True),
        specificity=_not_referred(gradable),
    )


def grade_counts(pairs: Mapping[Pair, int]) -> Counter[tuple[int, int]]:
    """Pairs of the grades of eyes that both graded."""
    counts: Counter[tuple[int, int]] = Counter()
    for (reference, found), n in pairs.items():
        if reference.grade is not None and found.grade is not None:
            counts[reference.grade, found.grade] += n
    return counts


def kappa_interval(groups: Sequence[Counter[tuple[int, int]]]) -> tuple[float, float] | None:
    """95 % interval of the quadratic kappa by a jackknife that leaves out one group at a time.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11. None for few groups, as for the
    bootstrap of ``agreement``.
    """
    total = _summed(groups)
    kappa = quadratic_kappa(total)
    if kappa is None or len(groups) < MIN_GROUPS:
        return None
    found = (quadratic_kappa(total - group) for group in groups)
    values = [value for value in found if value is not None]
    if len(values) < MIN_DEFINED_FRACTION * len(groups):
        return None
    mean, n = sum(values) / len(values), len(values)
    half = Z_95 * math.sqrt((n - 1) / n * sum((value - mean) ** 2 for value in values))
    return max(-1.0, kappa - half), min(1.0, kappa + half)


def _summed(groups: Iterable[Counter[tuple[int, int]]]) -> Counter[tuple[int, int]]:
    found: Counter[tuple[int, int]] = Counter()
    for group in groups:
        found.update(group)
    return found


def _referred(gradable: Mapping[Pair, int], *, is_referable: bool) -> Proportion:
    """Of eyes whose reference is referable, or is not: those that are referred, also as ungradable."""
    of_kind = {pair: n for pair, n in gradable.items() if pair[0].is_referable is is_referable}
    n_referred = sum(n for (_, found), n in of_kind.items() if found.grade is None or found.is_referable)
    return Proportion(n_referred, sum(of_kind.values()))


def _not_referred(gradable: Mapping[Pair, int]) -> Proportion:
    referred = _referred(gradable, is_referable=False)
    return Proportion(referred.n - referred.n_positive, referred.n)
