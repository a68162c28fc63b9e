"""Labels of repeats."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from screening.labels.choices import choices
from screening.policy.repeats import DropReason, RepeatState

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

REPEAT_STATE_LABELS: dict[RepeatState, "_StrPromise"] = {
    RepeatState.WAITING: gettext_lazy("Waiting"),
    RepeatState.TAKEN: gettext_lazy("Taken"),
    RepeatState.DONE: pgettext_lazy("repeat", "Read"),
    RepeatState.DROPPED: gettext_lazy("Dropped"),
}
REPEAT_STATE_CHOICES = choices(REPEAT_STATE_LABELS)
DROP_REASON_LABELS: dict[DropReason, "_StrPromise"] = {
    DropReason.VIEWED: gettext_lazy("The reader viewed the exam or the person meanwhile"),
    DropReason.RESULT_CHANGED: gettext_lazy("The exam or its result changed"),
    DropReason.LATER_EXAM: gettext_lazy("The person has a later exam"),
    DropReason.READER_LEFT: gettext_lazy("The reader does not read at this site any more"),
    DropReason.SITE_CHANGED: gettext_lazy("The site does not read blind first any more"),
    DropReason.TOO_LATE: gettext_lazy("It was not read in time"),
    DropReason.GIVEN_UP: gettext_lazy("The reader released or returned the exam"),
}
DROP_REASON_CHOICES = choices(DROP_REASON_LABELS)


def dropped_text() -> str:
    """Why the reading page of a repeat shows the signed exam, and nothing was stored."""
    return _(
        "You signed this exam earlier, and it came back to compare your readings. It is dropped, and what you entered "
        "is not stored. Its result stays the same."
    )
