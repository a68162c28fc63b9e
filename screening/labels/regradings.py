"""Texts of re-gradings."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from screening.labels.choices import choices
from screening.labels.grades import GRADE_LABELS
from screening.policy.regradings import RegradingState

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

REGRADING_STATE_LABELS: dict[RegradingState, "_StrPromise"] = {
    RegradingState.RUNNING: gettext_lazy("Grading, when no other photograph waits"),
    RegradingState.PAUSED: gettext_lazy("Paused"),
    RegradingState.DONE: gettext_lazy("Done"),
    RegradingState.CANCELLED: gettext_lazy("Cancelled"),
    RegradingState.FAILED: gettext_lazy("Ended: this version of the model is not in use any more"),
}
REGRADING_STATE_CHOICES = choices(REGRADING_STATE_LABELS)


def result_text(grade: int | None, *, is_gradable: bool | None) -> str:
    """A grading in a table of changes: its grade, ungradable, or that there is none."""
    if grade is not None:
        return f"{GRADE_LABELS[grade]} ({grade})"
    return _("no result") if is_gradable is None else _("Ungradable")
