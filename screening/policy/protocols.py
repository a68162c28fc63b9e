"""Reading protocols: which exams are read twice, when a senior reviewer decides, which samples are taken. No Django.

Each number has its source beside it; docs/clinical-numbers.md lists them.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from ml.vocabulary import REFERABLE_FROM, Laterality
from screening.policy.outcome_tables import MacularOedema
from screening.policy.proportions import Proportion
from screening.policy.repeats import DEFAULT_REPEAT_PERCENT, DEFAULT_REPEAT_WEEKS
from screening.policy.scales import SCALES, GradingScale, Retinopathy

DEFAULT_NEGATIVE_PERCENT = 10
"""Percent of the negatives that are read a second time. Source: PHE Screening blog, Diabetic eye screening: 4 short
videos to help monitor grader performance, 18 November 2015 (at least 10 % of the images graded R0M0 are graded again
in the English programme). A site can change it in its reading protocol."""
MIN_REFERABLE_EYES = 100
"""Referable eyes of the site with a result of the model before triage can be switched on. Default of this project
without a source: with 100 eyes, 92 must be found for the lower limit that is demanded below. No site can change it."""
MIN_SENSITIVITY = 0.85
"""Lower limit of the 95 % interval of the model's sensitivity at the site, for triage. Source of the value: the primary
endpoint of the trial of IDx-DR (Abramoff et al., NPJ Digital Medicine 2018; 1: 39: sensitivity over 85 %). That the
lower limit has to reach it, not the estimate, is of this project. No site can change it."""


class ProtocolKind(StrEnum):
    """How many readers read an exam."""

    SINGLE = "single"
    DOUBLE_POSITIVES = "double_positives"
    """Two for every positive and for a sample of the negatives."""
    DOUBLE_ALL = "double_all"
    TRIAGE = "triage"
    """One for clear negatives of good quality that a reader finds negative too, outside the sample; two for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """The reading protocol of a site. A site without one has the default."""

    kind: ProtocolKind = ProtocolKind.SINGLE
    negative_percent: int = DEFAULT_NEGATIVE_PERCENT
    """Of negatives that are read a second time."""
    arbitrates_any_difference: bool = False
    """Any difference of a grade goes to a senior reviewer, not only one that changes what follows."""
    repeat_percent: int = DEFAULT_REPEAT_PERCENT
    """Of signed exams that come back to their reader, at a site that reads blind first."""
    repeat_weeks: int = DEFAULT_REPEAT_WEEKS
    """After how many weeks they come back."""


class ReadingStage(StrEnum):
    """Which reading of an exam a person signed."""

    FIRST = "first"
    SECOND = "second"
    ARBITRATION = "arbitration"
    REPEAT = "repeat"
    """By a reader of the result, weeks after its signature; it changes nothing."""


class SamplePurpose(StrEnum):
    """What a sample is taken for; samples of two purposes are independent."""

    SECOND_READING = "second_reading"
    REPEAT = "repeat"
    REPEAT_OFFER = "repeat_offer"
    """Before which waiting exams a repeat may be offered."""


def sample_number(purpose: SamplePurpose, exam_id: UUID, reading_round: int) -> float:
    """A number in 0 to 1 that follows from the exam, so that an auditor can compute it again.

    The first 8 hexadecimal digits of SHA-256 of "purpose:exam id:reading round", divided by 16^8. For example, in a
    shell: ``printf 'second_reading:<exam id>:0' | sha256sum``.
    """
    text = f"{purpose.value}:{exam_id}:{reading_round}"
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 16**8


def is_sampled(purpose: SamplePurpose, exam_id: UUID, reading_round: int, percent: int) -> bool:
    """Whether an exam is in a sample of ``percent``."""
    return 100 * sample_number(purpose, exam_id, reading_round) < percent


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEye:
    """What a reader found in one eye, as far as readers are compared."""

    is_absent: bool = False
    is_photographed: bool = True
    is_gradable: bool = True
    grade: int | None = None
    macular_oedema: str = MacularOedema.UNKNOWN.value
    scale: GradingScale = GradingScale.ICDR
    retinopathy: str = ""
    maculopathy: str = ""
    photocoagulation: str = ""

    @property
    def is_positive(self) -> bool:
        """Whether anything was found, or could not be excluded. An absent eye is not positive."""
        if self.is_absent:
            return False
        is_clear = self.is_photographed and self.is_gradable and self.grade == 0
        has_clear_macula = self.macular_oedema == MacularOedema.NONE and self.maculopathy in {"", "M0"}
        return not (is_clear and has_clear_macula and self.retinopathy in {"", "R0"})

    @property
    def is_referable(self) -> bool:
        """Whether the grade is referable: in another scale than ICDR, whether each ICDR grade that it can be is."""
        if not self.retinopathy or self.scale is GradingScale.ICDR:
            return self.grade is not None and self.grade >= REFERABLE_FROM
        grades = SCALES[self.scale].icdr[Retinopathy(self.retinopathy)]
        return min(grades) >= REFERABLE_FROM


Eyes = Mapping[Laterality, ReadEye]


def is_positive(eyes: Eyes) -> bool:
    """Whether a reader found anything in an eye, or could not exclude it."""
    return any(eye.is_positive for eye in eyes.values())


def needs_second_reading(
    protocol: Protocol, *, readings: Iterable[Eyes], is_clear_negative_of_good_quality: bool, is_in_sample: bool
) -> bool:
    """Whether another reader has to read the exam. ``readings``: all that readers stored or signed in this round.

    A positive by any of them counts, also one that its reader changed after seeing the model's result.
    """
    if protocol.kind is ProtocolKind.SINGLE:
        return False
    if protocol.kind is ProtocolKind.DOUBLE_ALL or is_in_sample or any(map(is_positive, readings)):
        return True
    return protocol.kind is ProtocolKind.TRIAGE and not is_clear_negative_of_good_quality


class Difference(StrEnum):
    """On what two readers differ in an eye."""

    GRADABILITY = "gradability"
    """Gradable, photographed or absent."""
    REFERABLE = "referable"
    OEDEMA = "oedema"
    SCALE = "scale"
    """Grades of the scale of the site that are one ICDR grade (R3S and R3A), or photocoagulation."""
    GRADE = "grade"
    """Any other difference of the grade."""


ALWAYS_ARBITRATED = frozenset(set(Difference) - {Difference.GRADE})


def differences(first: ReadEye, second: ReadEye) -> frozenset[Difference]:
    """On what two readers differ in one eye."""
    if _presence(first) != _presence(second):
        return frozenset({Difference.GRADABILITY})
    found = set()
    if first.is_referable != second.is_referable:
        found.add(Difference.REFERABLE)
    if (first.macular_oedema, first.maculopathy) != (second.macular_oedema, second.maculopathy):
        found.add(Difference.OEDEMA)
    if first.photocoagulation != second.photocoagulation:
        found.add(Difference.SCALE)
    if first.grade != second.grade:
        found.add(Difference.GRADE)
    elif first.retinopathy != second.retinopathy:
        found.add(Difference.SCALE)
    return frozenset(found)


def _presence(eye: ReadEye) -> tuple[bool, bool, bool]:
    return eye.is_absent, eye.is_photographed, eye.is_gradable


def needs_arbitration(first: Eyes, second: Eyes, *, arbitrates_any_difference: bool) -> bool:
    """Whether a senior reviewer has to decide between two readings."""
    limits = frozenset(Difference) if arbitrates_any_difference else ALWAYS_ARBITRATED
    return any(limits & differences(first[eye], second[eye]) for eye in Laterality)


def is_more_severe(one: ReadEye, other: ReadEye) -> bool:
    """Whether ``one`` is the more severe of two findings of an eye on which no senior reviewer has to decide."""
    return (one.grade or 0) > (other.grade or 0)


class TriageObstacle(StrEnum):
    """Why a site cannot switch on triage."""

    TOO_FEW_EYES = "too_few_eyes"
    SENSITIVITY_TOO_LOW = "sensitivity_too_low"


def triage_obstacle(sensitivity: Proportion) -> TriageObstacle | None:
    """Why the figures of a site do not allow triage; None if they do."""
    if sensitivity.n < MIN_REFERABLE_EYES or sensitivity.interval is None:
        return TriageObstacle.TOO_FEW_EYES
    return None if sensitivity.interval[0] >= MIN_SENSITIVITY else TriageObstacle.SENSITIVITY_TOO_LOW
