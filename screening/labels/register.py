"""Texts of the register: status, reason, and why a change is refused."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from screening.labels.choices import choices
from screening.policy.register import MAX_LIMITED_YEARS, EntryProblem, RegisterReason, RegisterStatus

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

STATUS_LABELS: dict[RegisterStatus, "_StrPromise"] = {
    RegisterStatus.ELIGIBLE: _("Eligible"),
    RegisterStatus.SUSPENDED: _("Suspended"),
    RegisterStatus.OPTED_OUT: _("Opted out"),
    RegisterStatus.EXCLUDED: _("Excluded"),
    RegisterStatus.MOVED: _("Moved away"),
    RegisterStatus.DECEASED: _("Deceased"),
}
REASON_LABELS: dict[RegisterReason, "_StrPromise"] = {
    RegisterReason.ELIGIBLE_AGAIN: _("Eligible again"),
    RegisterReason.ENTERED_IN_ERROR: _("Earlier status was entered in error"),
    RegisterReason.PERIOD_ENDED: _("The period has ended"),
    RegisterReason.HOSPITAL_EYE_SERVICE: _("In care of the hospital eye service"),
    RegisterReason.PREGNANCY_PATHWAY: _("Pregnancy pathway"),
    RegisterReason.MEDICALLY_UNFIT: _("Too ill to be photographed at present"),
    RegisterReason.UNDER_12: _("Younger than 12 years"),
    RegisterReason.OWN_DECISION: _("Decided by the person"),
    RegisterReason.DECIDED_BY_CARER: _("Decided by a parent or legal representative"),
    RegisterReason.NO_LIGHT_PERCEPTION: _("No perception of light in both eyes"),
    RegisterReason.NO_DIABETES: _("Does not have diabetes"),
    RegisterReason.TERMINAL_ILLNESS: _("Terminal illness"),
    RegisterReason.OTHER_SITE: _("Is screened at another site"),
    RegisterReason.OUT_OF_AREA: _("Left the area"),
    RegisterReason.DIED: _("Died"),
    RegisterReason.OTHER: _("Other, see the note"),
}
STATUS_CHOICES = choices(STATUS_LABELS)
REASON_CHOICES = choices(REASON_LABELS)
PROBLEM_LABELS: dict[EntryProblem, "_StrPromise"] = {
    EntryProblem.REASON: _("This reason does not belong to this status. Choose one that is listed under the status."),
    EntryProblem.NOTE: _("State the reason in the note."),
    EntryProblem.UNTIL_MISSING: _("Enter the last day: a suspension and an opt-out end by themselves."),
    EntryProblem.UNTIL_SURPLUS: _("Leave the last day empty: only a suspension and an opt-out end by themselves."),
    EntryProblem.UNTIL_PAST: _("The last day has passed. Choose today or a later day."),
    EntryProblem.UNTIL_FAR: ngettext_lazy(
        "The last day is more than %(years)d year away. Choose an earlier one.",
        "The last day is more than %(years)d years away. Choose an earlier one.",
        "years",
    ),
    EntryProblem.FROM_FUTURE: _("This day is in the future. Enter the status when it begins."),
}
PROBLEM_FIELDS: dict[EntryProblem, str] = {
    EntryProblem.REASON: "reason",
    EntryProblem.NOTE: "note",
    EntryProblem.UNTIL_MISSING: "until_on",
    EntryProblem.UNTIL_SURPLUS: "until_on",
    EntryProblem.UNTIL_PAST: "until_on",
    EntryProblem.UNTIL_FAR: "until_on",
    EntryProblem.FROM_FUTURE: "from_on",
}


def problem_text(problem: EntryProblem) -> str:
    """Why a change is refused, and what to do."""
    return str(PROBLEM_LABELS[problem] % {"years": MAX_LIMITED_YEARS})
