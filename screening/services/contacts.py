"""Contacts with people in call and recall: recording them."""

import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.models import AuditEvent, ContactAttempt, Patient, User
from screening.policy.recall import RESULTS, ContactChannel, ContactKind, ContactResult
from screening.services.audit import record_event
from screening.services.recalls import update_recall

MAX_AGE_DAYS = 366


class ContactRefused(ValueError):
    """A contact cannot be recorded. ``field`` is what is wrong; the message is for the user."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@transaction.atomic
def record_contact(
    *,
    patient: Patient,
    kind: ContactKind,
    channel: ContactChannel,
    result: ContactResult,
    on: datetime.date,
    note: str = "",
    base: str | None = None,
    by: User,
) -> ContactAttempt:
    """Record a contact, and compute the next step of the person.

    ``base``: id of the newest contact when the page was opened, empty without one: the same form sent twice is
    recorded once. Raises ContactRefused, AccessDenied.
    """
    require(by, Action.MANAGE_REGISTER, patient.site)
    locked = Patient.objects.select_for_update(of=("self",)).select_related("site").get(pk=patient.pk)
    today = timezone.localdate(timezone=locked.site.zone)
    if locked.merged_into_id is not None:
        raise ContactRefused("kind", _("This record was merged into another one. Record it there."))
    if result not in RESULTS[kind]:
        raise ContactRefused("result", _("This contact cannot have this result. Choose one that is listed under it."))
    if on > today:
        raise ContactRefused("on", _("This day is in the future. Record the contact when it was made."))
    if (today - on).days > MAX_AGE_DAYS:
        raise ContactRefused("on", _("This day is more than a year ago. Check the date."))
    values = {"kind": kind.value, "channel": channel.value, "result": result.value, "on": on, "note": note.strip()}
    newest = newest_contact_of(locked)
    if base is not None and newest is not None and base != str(newest.pk) and _is_same(newest, values, by):
        return newest
    contact = ContactAttempt.objects.create(patient=locked, **values, recorded_by=by)
    update_recall(locked.pk)
    data = {"contact": str(contact.pk), "kind": kind.value, "channel": channel.value, "result": result.value}
    record_event(verb=AuditEvent.Verb.CONTACT_RECORDED, subject=locked, site=locked.site, data=data, by=by)
    return contact


def newest_contact_of(patient: Patient) -> ContactAttempt | None:
    """The contact that was recorded last."""
    return ContactAttempt.objects.filter(patient=patient).order_by("-created_at", "-pk").first()


def _is_same(contact: ContactAttempt, values: dict[str, Any], by: User) -> bool:
    return contact.recorded_by_id == by.pk and all(getattr(contact, name) == value for name, value in values.items())
