"""Labels of the worklist: how soon an exam should be read, quality of its photographs, the model's result."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from screening.labels.choices import choices
from screening.policy import ExamQuality, Urgency, WorklistRank

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

READING_URGENCY_LABELS: dict[Urgency, "_StrPromise"] = {
    Urgency.ROUTINE: _("Routine"),
    Urgency.SOON: _("Soon"),
    Urgency.IMMEDIATE: _("Immediately"),
}
QUALITY_LABELS: dict[ExamQuality, "_StrPromise"] = {
    ExamQuality.UNGRADED: _("Not gradable or failed"),
    ExamQuality.PENDING: _("Being graded"),
    ExamQuality.LIMITED: _("Usable with limits"),
    ExamQuality.GOOD: _("Good"),
}
RANK_LABELS: dict[WorklistRank, "_StrPromise"] = {
    WorklistRank.SIGHT_THREATENING: _("Sight-threatening"),
    WorklistRank.REFERABLE: _("Referable"),
    WorklistRank.UNGRADED: _("Not gradable or failed"),
    WorklistRank.PENDING: _("Being graded"),
    WorklistRank.LIMITED: _("Not referable, small lesions could be missed"),
    WorklistRank.ROUTINE: _("Not referable"),
}
READING_URGENCY_CHOICES = choices(READING_URGENCY_LABELS)
QUALITY_CHOICES = choices(QUALITY_LABELS)
