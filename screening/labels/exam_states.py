"""Labels of the states of an exam."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from screening.labels.choices import choices
from screening.policy.exam_states import ExamState

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

EXAM_STATE_LABELS: dict[ExamState, "_StrPromise"] = {
    ExamState.OPEN: _("Open"),
    ExamState.SUBMITTED: _("Waiting for review"),
    ExamState.FIRST_READING: _("Being read"),
    ExamState.SECOND_READING: _("Waiting for a second reading"),
    ExamState.ARBITRATION: _("Waiting for arbitration"),
    ExamState.SIGNED: _("Signed"),
    ExamState.RETURNED: _("Returned"),
    ExamState.CANCELLED: _("Cancelled"),
    ExamState.ENTERED_IN_ERROR: _("Result entered in error, waiting for review"),
}
EXAM_STATE_CHOICES = choices(EXAM_STATE_LABELS)
