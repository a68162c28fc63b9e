"""Labels of referrals: states, the buttons of their transitions, and what the hospital found and did."""

from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from screening.labels.choices import choices
from screening.policy.referrals import ReferralState as S

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class Treatment(StrEnum):
    """What the hospital did."""

    NONE = "none"
    OBSERVATION = "observation"
    LASER = "laser"
    INJECTIONS = "injections"
    SURGERY = "surgery"
    OTHER = "other"


STATE_LABELS: dict[S, "_StrPromise"] = {
    S.MADE: _("Made, not sent yet"),
    S.SENT: pgettext_lazy("referral", "Sent"),
    S.RECEIVED: _("Received by the hospital"),
    S.BOOKED: _("Appointment booked"),
    S.ATTENDED: _("Attended, no result yet"),
    S.RESULT_BACK: _("Result back"),
    S.DECLINED: _("Declined"),
    S.WITHDRAWN: _("Withdrawn"),
}
STEP_LABELS: dict[tuple[S, S], "_StrPromise"] = {
    (S.MADE, S.SENT): pgettext_lazy("referral", "Sent"),
    (S.MADE, S.DECLINED): _("Declined by the patient"),
    (S.SENT, S.RECEIVED): _("Received by the hospital"),
    (S.SENT, S.BOOKED): _("Appointment booked"),
    (S.SENT, S.MADE): _("Not sent after all"),
    (S.SENT, S.DECLINED): _("Declined"),
    (S.RECEIVED, S.BOOKED): _("Appointment booked"),
    (S.RECEIVED, S.SENT): _("Not received after all"),
    (S.RECEIVED, S.DECLINED): _("Declined"),
    (S.BOOKED, S.ATTENDED): _("Attended"),
    (S.BOOKED, S.BOOKED): _("Another appointment"),
    (S.BOOKED, S.RECEIVED): _("Missed or cancelled"),
    (S.BOOKED, S.DECLINED): _("Declined"),
    (S.ATTENDED, S.BOOKED): _("Another appointment"),
    (S.DECLINED, S.MADE): _("Open it again"),
}
"""What a person has learned, as the label of a button."""
TREATMENT_LABELS: dict[Treatment, "_StrPromise"] = {
    Treatment.NONE: _("None needed"),
    Treatment.OBSERVATION: _("Observation"),
    Treatment.LASER: _("Laser"),
    Treatment.INJECTIONS: _("Injections"),
    Treatment.SURGERY: _("Surgery"),
    Treatment.OTHER: _("Another treatment"),
}
NOTE_LABELS: dict[str, "_StrPromise"] = {
    "review_amended": _("The review was amended."),
    "review_void": _("The review does not count any more."),
    "review_amended_continues": _("The review was amended; the referral continues."),
}
"""Notes that the system writes, by the code that is stored."""
STATE_CHOICES = choices(STATE_LABELS)
TREATMENT_CHOICES = choices(TREATMENT_LABELS)


def note_text(note: str) -> str:
    """The note of a step in the language of the reader; that of a person as it was written."""
    return str(NOTE_LABELS.get(note, note))
