"""Agreement of a reader with signed findings: weighted kappa, and sensitivity and specificity for referable eyes."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ml.vocabulary import N_GRADES, REFERABLE_FROM
from screening.policy.outcome_tables import MacularOedema
from screening.policy.proportions import Proportion

N_RESAMPLES = 1000
"""Resamples of the bootstrap. Default of this project without a source: as in ``ml.metrics.bootstrap``. No site can
change it."""
MIN_DEFINED_FRACTION = 0.9
"""Fraction of the resamples in which kappa must be defined to have an interval. Default of this project without a
source: as in ``ml.metrics.bootstrap``. No site can change it."""
MIN_GROUPS = 10
"""Exams below which no interval is given. Default of this project without a source for the number; that a bootstrap of
few groups is too narrow: Cameron, Gelbach and Miller, Rev Econ Stat 2008; 90: 414-427 (5 to 30 groups). No site can
change it."""
_OEDEMA = frozenset({MacularOedema.SUSPECTED, MacularOedema.NOT_CENTRE, MacularOedema.CENTRE})
Counts = Counter[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class EyeGrade:
    """What a person found in one eye; ``grade`` is None if the eye is ungradable."""

    grade: int | None
    macular_oedema: MacularOedema

    @property
    def is_referable(self) -> bool:
        """Grade 2 or more, or macular oedema, also a suspected one."""
        return (self.grade is not None and self.grade >= REFERABLE_FROM) or self.macular_oedema in _OEDEMA


@dataclass(frozen=True, slots=True)
class ComparedEye:
    """One eye: what was signed, and what a reader found. ``group`` names the exam: its eyes are of one person."""

    group: str
    signed: EyeGrade
    found: EyeGrade


@dataclass(frozen=True, slots=True)
class Agreement:
    """Figures of one reader.

    ``kappa`` is of the ``n_graded`` eyes that both graded. Sensitivity and specificity are of the eyes whose signed
    finding is gradable; one that the reader calls ungradable counts as referred, because it leads to a referral or a
    new photograph. ``n_ungradable``: eyes that one of both, or both, called ungradable.
    """

    n_eyes: int
    n_graded: int
    n_ungradable: int
    kappa: float | None
    kappa_interval: tuple[float, float] | None
    sensitivity: Proportion
    specificity: Proportion


def compute_agreement(eyes: Iterable[ComparedEye]) -> Agreement:
    """The figures of some eyes; about a tenth of a second for a hundred."""
    eyes = list(eyes)
    graded = [one for one in eyes if one.signed.grade is not None and one.found.grade is not None]
    gradable = [one for one in eyes if one.signed.grade is not None]
    referred = [one.found.grade is None or one.found.is_referable for one in gradable]
    positives = [flag for one, flag in zip(gradable, referred, strict=True) if one.signed.is_referable]
    negatives = [flag for one, flag in zip(gradable, referred, strict=True) if not one.signed.is_referable]
    groups = _counts_of_groups(graded)
    return Agreement(
        n_eyes=len(eyes),
        n_graded=len(graded),
        n_ungradable=len(eyes) - len(graded),
        kappa=quadratic_kappa(sum(groups, Counter())),
        kappa_interval=_interval(groups),
        sensitivity=Proportion(sum(positives), len(positives)),
        specificity=Proportion(len(negatives) - sum(negatives), len(negatives)),
    )


def quadratic_kappa(counts: Counts) -> float | None:
    """Cohen's kappa with quadratic weights (Cohen, Psychol Bull 1968; 70: 213-220) of pairs of grades.

    None if it is undefined: without pairs, and if both have one and the same grade for all eyes.
    """
    n = sum(counts.values())
    rows, columns = Counter[int](), Counter[int]()
    for (row, column), count in counts.items():
        rows[row] += count
        columns[column] += count
    grades = range(N_GRADES)
    expected = sum((i - j) ** 2 * rows[i] * columns[j] for i in grades for j in grades)
    if not expected:
        return None
    return 1 - n * sum((i - j) ** 2 * count for (i, j), count in counts.items()) / expected


def _counts_of_groups(graded: Iterable[ComparedEye]) -> list[Counts]:
    """Pairs of signed and found grades of each exam."""
    groups: dict[str, Counts] = {}
    for one in graded:
        if one.signed.grade is not None and one.found.grade is not None:
            groups.setdefault(one.group, Counter())[one.signed.grade, one.found.grade] += 1
    return [groups[name] for name in sorted(groups)]


def _interval(groups: Sequence[Counts]) -> tuple[float, float] | None:
    """95 % percentile interval by a bootstrap over exams (Efron 1979); the same for the same eyes."""
    if len(groups) < MIN_GROUPS:
        return None
    generator = random.Random(0)  # noqa: S311 (no secret: a seed, so that the interval can be computed again)
    values = []
    for _ in range(N_RESAMPLES):
        total: Counts = Counter()
        for group in generator.choices(groups, k=len(groups)):
            total.update(group)
        value = quadratic_kappa(total)
        if value is not None:
            values.append(value)
    if len(values) < MIN_DEFINED_FRACTION * N_RESAMPLES:
        return None
    values.sort()
    return values[round(0.025 * (len(values) - 1))], values[round(0.975 * (len(values) - 1))]
