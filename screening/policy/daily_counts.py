"""Counts of the dashboard: what each exam adds to those of its day. Sums over the days are the figures of a period.

An exam belongs to the day of its visit, and counts as it stands now: an amendment changes the day of the visit.
"""

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from screening.policy.agreement_counts import GradedEye, direction_of_change
from screening.policy.exam_states import PHOTOGRAPHED, ExamState

MIN_EXAMS_COMPARED = 5
"""Exams below which no agreement is shown: a single exam could be recognised in it. Default of this project without a
source. No site can change it."""
UPTAKE_DAYS = 180
"""Days after an invitation in which a visit counts as its result. Default of this project without a source: the time
until the telephone call and lost to follow-up, with a margin. No site can change it."""
HOURS_SHOWN = 48
"""Turnaround is counted in hours below this, and in days from it on."""


class Dimension(StrEnum):
    """By what a count is divided; ``subject`` of a count is its value, empty for the whole site."""

    SITE = "site"
    MODEL = "model"
    """Version of the model."""
    CAMERA = "camera"
    PHOTOGRAPHER = "photographer"
    READER = "reader"


class Measure(StrEnum):
    """What is counted, and what its code is."""

    EXAMS = "exams"
    """Exams, by ``Stage``."""
    EYES = "eyes"
    """Eyes with a signed finding, by ``EyeState``."""
    UNGRADABLE = "ungradable"
    """Ungradable eyes, by the reader's reason; empty if none was given."""
    PHOTOS = "photos"
    """Photographs in use, by the quality level of their current grading; empty without one."""
    PHOTO_REASONS = "photo_reasons"
    """Photographs in use, by each reason why the quality is not good."""
    GRADES = "grades"
    """Gradable eyes, by the signed grade."""
    OEDEMA = "oedema"
    """Gradable eyes, by the signed macular oedema."""
    OUTCOMES = "outcomes"
    """Signed exams, by outcome."""
    TURNAROUND = "turnaround"
    """Signed exams, by the time from hand-over to signature (``turnaround_code``)."""
    FEEDBACK = "feedback"
    """Referrals whose result is back: flagged, confirmed (``pair_code`` of yes, no and none)."""
    INVITED = "invited"
    """People invited on the day, by whether they attended: yes or no."""
    REGISTER = "register"
    """People of the site on the day, by state in call and recall."""
    COVERED = "covered"
    """Eligible people on the day, by whether their last screening is still valid: yes or no."""
    MODEL_FINAL = "model_final"
    """Eyes: signed finding, model's result at the signature."""
    MODEL_BLIND = "model_blind"
    """Eyes: reading stored before the model was seen, model's result."""
    TWO_READERS = "two_readers"
    """Eyes: first signed reading, second signed reading."""
    COLLEAGUE = "colleague"
    """Eyes: signed reading of a colleague, own signed reading."""
    CHANGES = "changes"
    """Eyes read blind by who signed, by the direction of the change after the reveal (``Change``)."""
    COMPARED_EXAMS = "compared"
    """Exams with an eye in a comparison; code: its ``Measure``."""


class Stage(StrEnum):
    """How far an exam is."""

    PHOTOGRAPHED = "photographed"
    WAITING = "waiting"
    SIGNED = "signed"
    CANCELLED = "cancelled"


class EyeState(StrEnum):
    """What was signed of an eye."""

    GRADABLE = "gradable"
    UNGRADABLE = "ungradable"
    NOT_PHOTOGRAPHED = "not_photographed"


YES, NO, NONE = "yes", "no", "none"


@dataclass(frozen=True, slots=True)
class CountKey:
    """What one count is of."""

    measure: Measure
    code: str
    dimension: Dimension = Dimension.SITE
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFacts:
    """One photograph in use, with the quality of its current grading."""

    level: str
    reasons: tuple[str, ...]
    camera: str
    photographer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeFacts:
    """One present eye of a signed exam. ``blind`` and ``signed_readings``: by the id of the reader, in order.

    ``model``: the model's result at the signature; None without a grading. ``is_changeable``: the signer read it blind.
    """

    final: GradedEye
    state: EyeState
    oedema: str
    ungradable_reason: str = ""
    model: GradedEye | None = None
    model_version: str = ""
    blind: tuple[tuple[str, GradedEye], ...] = ()
    signed_readings: tuple[tuple[str, GradedEye], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamFacts:
    """What the figures need of an exam. From ``outcome`` on: of its signed result, if it has one.

    ``is_compared``: False if a person has yet to read it blind, or its photographs are synthetic.
    """

    status: str
    photos: tuple[PhotoFacts, ...] = ()
    outcome: str = ""
    turnaround_s: float | None = None
    signer: str = ""
    eyes: tuple[EyeFacts, ...] = ()
    feedback: str = ""
    is_compared: bool = True


def count_exams(exams: Iterable[ExamFacts]) -> Counter[CountKey]:
    """The counts of some exams."""
    counts: Counter[CountKey] = Counter()
    for exam in exams:
        counts.update(_of_exam(exam))
    return counts


def stage_of(status: str) -> Stage:
    """The stage of an exam in this state."""
    state = ExamState(status)
    if state in PHOTOGRAPHED:
        return Stage.PHOTOGRAPHED
    named = {ExamState.SIGNED: Stage.SIGNED, ExamState.CANCELLED: Stage.CANCELLED}
    return named.get(state, Stage.WAITING)


def turnaround_code(seconds: float) -> str:
    """``5h``: 5 to 6 hours; ``3d``: 3 to 4 days, from HOURS_SHOWN on."""
    hours = max(0, int(seconds // 3600))
    return f"{hours}h" if hours < HOURS_SHOWN else f"{hours // 24}d"


def turnaround_hours(code: str) -> int:
    """The lower limit of a code of ``turnaround_code``."""
    return int(code[:-1]) * (24 if code.endswith("d") else 1)


def pair_code(first: str, second: str) -> str:
    """The code of two values; ``pair_of`` takes it apart."""
    return f"{first}:{second}"


def pair_of(code: str) -> tuple[str, str]:
    """The two values of ``pair_code``."""
    first, _, second = code.partition(":")
    return first, second


def quantile(counts: Counter[int], fraction: float) -> int | None:
    """The smallest value that at least this fraction of the counted values does not exceed; None of nothing."""
    n, reached = sum(counts.values()), 0
    for value in sorted(counts):
        reached += counts[value]
        if reached >= fraction * n and reached:
            return value
    return None


@dataclass(frozen=True, slots=True)
class Period:
    """Days of visits, the first and the last one included."""

    from_on: datetime.date
    to_on: datetime.date

    @property
    def n_days(self) -> int:
        return (self.to_on - self.from_on).days + 1


def _of_exam(exam: ExamFacts) -> Iterator[CountKey]:
    stage = stage_of(exam.status)
    yield CountKey(Measure.EXAMS, stage)
    if stage is not Stage.CANCELLED:
        for photo in exam.photos:
            yield from _of_photo(photo)
    if stage is not Stage.SIGNED or not exam.outcome:
        return
    yield CountKey(Measure.OUTCOMES, exam.outcome)
    yield CountKey(Measure.OUTCOMES, exam.outcome, Dimension.READER, exam.signer)
    if exam.turnaround_s is not None:
        yield CountKey(Measure.TURNAROUND, turnaround_code(exam.turnaround_s))
    if exam.feedback:
        yield CountKey(Measure.FEEDBACK, exam.feedback)
    for eye in exam.eyes:
        yield from _of_eye(eye)
    if exam.is_compared:
        yield from _comparisons(exam)


def _of_photo(photo: PhotoFacts) -> Iterator[CountKey]:
    yield CountKey(Measure.PHOTOS, photo.level)
    yield CountKey(Measure.PHOTOS, photo.level, Dimension.CAMERA, photo.camera)
    yield CountKey(Measure.PHOTOS, photo.level, Dimension.PHOTOGRAPHER, photo.photographer)
    for reason in photo.reasons:
        yield CountKey(Measure.PHOTO_REASONS, reason)


def _of_eye(eye: EyeFacts) -> Iterator[CountKey]:
    yield CountKey(Measure.EYES, eye.state)
    if eye.state is EyeState.UNGRADABLE:
        yield CountKey(Measure.UNGRADABLE, eye.ungradable_reason)
    if eye.final.grade is not None:
        yield CountKey(Measure.GRADES, str(eye.final.grade))
        yield CountKey(Measure.OEDEMA, eye.oedema)


def _comparisons(exam: ExamFacts) -> Iterator[CountKey]:
    """Counts of eyes, then each comparison once for the exam."""
    found = [key for eye in exam.eyes if eye.state is not EyeState.NOT_PHOTOGRAPHED for key in _compared(eye, exam)]
    yield from found
    for dimension, subject, measure in {(key.dimension, key.subject, key.measure) for key in found}:
        yield CountKey(Measure.COMPARED_EXAMS, measure, dimension, subject)


def _compared(eye: EyeFacts, exam: ExamFacts) -> Iterator[CountKey]:
    if eye.model is not None:
        code = pair_code(eye.final.code, eye.model.code)
        yield CountKey(Measure.MODEL_FINAL, code, Dimension.MODEL, eye.model_version)
        for reader, read in eye.blind:
            code = pair_code(read.code, eye.model.code)
            yield CountKey(Measure.MODEL_BLIND, code, Dimension.MODEL, eye.model_version)
            yield CountKey(Measure.MODEL_BLIND, code, Dimension.READER, reader)
    if len(eye.signed_readings) == 2:
        (first, of_first), (second, of_second) = eye.signed_readings
        yield CountKey(Measure.TWO_READERS, pair_code(of_first.code, of_second.code))
        yield CountKey(Measure.COLLEAGUE, pair_code(of_second.code, of_first.code), Dimension.READER, first)
        yield CountKey(Measure.COLLEAGUE, pair_code(of_first.code, of_second.code), Dimension.READER, second)
    own = dict(eye.blind).get(exam.signer)
    if own is not None and eye.model is not None:
        change = direction_of_change(own, eye.final, eye.model)
        yield CountKey(Measure.CHANGES, change)
        yield CountKey(Measure.CHANGES, change, Dimension.READER, exam.signer)
