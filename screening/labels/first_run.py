"""Texts of the first steps of a new site: what to do, and why."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

STEP_LABELS: dict[str, "_StrPromise"] = {
    "site": _("Create the site"),
    "protocol": _("Store the reading protocol"),
    "people": _("Invite the staff"),
    "photograph": _("Hand over a practice exam"),
    "read": _("Read the practice exam and sign it"),
    "report": _("Make its report"),
}
STEP_NOTES: dict[str, "_StrPromise"] = {
    "site": _("A clinic with its patients, exams and staff."),
    "protocol": _("How many persons read an exam. Store the usual one too, so that its reason is in the history."),
    "people": _("At least one person who reads exams."),
    "photograph": _("Two drawn photographs. See what the page of an exam asks for, then submit it for review."),
    "read": _("Grade both eyes as for a patient."),
    "report": _("This is what the doctor gets."),
}
