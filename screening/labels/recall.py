"""Texts of call and recall: states and steps."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from screening.labels.choices import choices
from screening.labels.register import STATUS_LABELS
from screening.policy.recall import ContactChannel, ContactKind, ContactResult, NextStep, RecallState
from screening.policy.register import RegisterStatus

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

STATE_LABELS: dict[RecallState, "_StrPromise"] = {
    RecallState.DUE: _("Due"),
    RecallState.OVERDUE: _("Overdue"),
    RecallState.LOST: _("Lost to follow-up"),
    RecallState.NOT_DUE: _("Not due yet"),
    RecallState.IN_PROGRESS: _("Being screened"),
    RecallState.BOOKED: pgettext_lazy("person", "Booked"),
    RecallState.REFERRED: _("Referred"),
    RecallState.SUSPENDED: STATUS_LABELS[RegisterStatus.SUSPENDED],
    RecallState.OPTED_OUT: STATUS_LABELS[RegisterStatus.OPTED_OUT],
    RecallState.EXCLUDED: STATUS_LABELS[RegisterStatus.EXCLUDED],
    RecallState.MOVED: STATUS_LABELS[RegisterStatus.MOVED],
    RecallState.DECEASED: STATUS_LABELS[RegisterStatus.DECEASED],
}
STEP_LABELS: dict[NextStep, "_StrPromise"] = {
    NextStep.INVITE: _("Invite"),
    NextStep.REMIND: _("Remind"),
    NextStep.SECOND_TRY: _("Invite a second time"),
    NextStep.PHONE: _("Telephone"),
    NextStep.LOST: _("Inform the doctor: lost to follow-up"),
}
STEP_CHOICES = choices(STEP_LABELS)
KIND_LABELS: dict[ContactKind, "_StrPromise"] = {
    ContactKind.INVITATION: _("Invitation"),
    ContactKind.REMINDER: _("Reminder"),
    ContactKind.NO_SHOW: _("Missed appointment"),
    ContactKind.SECOND_TRY: _("Second invitation"),
    ContactKind.PHONE_CALL: _("Telephone call"),
}
RESULT_LABELS: dict[ContactResult, "_StrPromise"] = {
    ContactResult.SENT: _("sent"),
    ContactResult.REACHED: _("person answered"),
    ContactResult.NOT_REACHED: _("not reached"),
    ContactResult.RETURNED: _("wrong address or number"),
}
CHANNEL_LABELS: dict[ContactChannel, "_StrPromise"] = {
    ContactChannel.LETTER: _("Letter"),
    ContactChannel.PHONE: pgettext_lazy("noun", "Telephone"),
    ContactChannel.EMAIL: _("E-mail"),
    ContactChannel.SMS: _("Text message"),
    ContactChannel.VISIT: _("At the clinic"),
}
KIND_CHOICES = choices(KIND_LABELS)
RESULT_CHOICES = choices(RESULT_LABELS)
CHANNEL_CHOICES = choices(CHANNEL_LABELS)
