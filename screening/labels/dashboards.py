"""Words of the dashboard: what is counted, by code."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from ml.vocabulary import QualityReason
from screening.labels.grades import GRADE_LABELS
from screening.labels.quality import QUALITY_ADVICE, QUALITY_LEVEL_LABELS
from screening.policy.agreement_counts import Change, GradedEye
from screening.policy.daily_counts import EyeState, Stage, turnaround_hours

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

STAGE_LABELS: dict[Stage, "_StrPromise"] = {
    Stage.PHOTOGRAPHED: gettext_lazy("Being photographed"),
    Stage.WAITING: gettext_lazy("Waiting for a reader"),
    Stage.SIGNED: pgettext_lazy("exams", "Signed"),
    Stage.CANCELLED: pgettext_lazy("exams", "Cancelled"),
}
EYE_STATE_LABELS: dict[EyeState, "_StrPromise"] = {
    EyeState.GRADABLE: gettext_lazy("Gradable"),
    EyeState.UNGRADABLE: gettext_lazy("Ungradable"),
    EyeState.NOT_PHOTOGRAPHED: gettext_lazy("Not photographed"),
}
CHANGE_LABELS: dict[Change, "_StrPromise"] = {
    Change.NONE: gettext_lazy("Not changed"),
    Change.NEARER: gettext_lazy("Changed toward the model"),
    Change.FARTHER: gettext_lazy("Changed away from the model"),
    Change.OTHER: gettext_lazy("Changed, neither nearer nor farther"),
}


def level_label(code: str) -> str:
    """A quality level of photographs; an empty code: not graded yet."""
    labels = {level.value: label for level, label in QUALITY_LEVEL_LABELS.items()}
    return str(labels[code]) if code in labels else _("Not graded yet")


def reason_label(code: str) -> str:
    """Why the quality of a photograph is not good."""
    known = {reason.value for reason in QualityReason}
    return str(QUALITY_ADVICE[QualityReason(code)].problem) if code in known else code


def eye_label(code: str) -> str:
    """The grade of ``GradedEye.code`` alone."""
    grade = GradedEye.from_code(code).grade
    return _("Ungradable") if grade is None else f"{grade} · {GRADE_LABELS[grade]}"


def turnaround_text(hours: int | None) -> str:
    """``under 1 hour``, ``26 hours``, ``3 days``; a dash of nothing. ``hours`` is a lower limit."""
    if hours is None:
        return "–"
    if hours < 1:
        return _("under 1 hour")
    if hours < 48:
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    return ngettext("%(n)d day", "%(n)d days", hours // 24) % {"n": hours // 24}


TURNAROUND_BANDS: tuple[tuple[int, "_StrPromise"], ...] = (
    (24, gettext_lazy("Under 1 day")),
    (72, gettext_lazy("1 to 3 days")),
    (168, gettext_lazy("3 to 7 days")),
    (504, gettext_lazy("1 to 3 weeks")),
    (10**9, gettext_lazy("3 weeks and more")),
)
"""Hours below which a band ends, and its name."""


def turnaround_band(code: str) -> str:
    """The band of a code of ``policy.daily_counts.turnaround_code``."""
    hours = turnaround_hours(code)
    return str(next(label for end, label in TURNAROUND_BANDS if hours < end))
