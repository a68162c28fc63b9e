"""Due dates: computed from results and the register, and stored with each patient for the due list."""

import datetime
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Prefetch, QuerySet, Subquery, UUIDField
from django.utils import timezone

from screening.models import ContactAttempt, Patient, RegisterEntry, Review, Site
from screening.policy.recall import (
    Contact,
    ContactKind,
    ContactResult,
    Eligibility,
    due_date,
    is_of_cycle,
    next_step,
    present_round,
)
from screening.policy.register import RegisterReason, RegisterStatus
from screening.selectors.closed_referrals import ClosedReferral, closed_referrals, exams_with_open_referral
from screening.selectors.reviews import IN_FORCE

COLUMNS = ("due_on", "screened_on", "next_step", "next_step_on")
BATCH = 500


@transaction.atomic
def update_recall(*patient_ids: uuid.UUID) -> None:
    """Compute the due dates of these patients again, after a change of a result, of the register or of contacts."""
    _update(Patient.objects.filter(pk__in=patient_ids))


def update_recalls(*, site: Site) -> int:
    """Compute the due dates of all people of a site; returns how many have changed. Safe to repeat.

    In batches, so that no long transaction is open.
    """
    n_changed, ids = 0, list(Patient.objects.filter(site=site).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        with transaction.atomic():
            n_changed += _update(Patient.objects.filter(pk__in=ids[start : start + BATCH]))
    return n_changed


def _update(patients: QuerySet[Patient]) -> int:
    locked = patients.select_for_update(of=("self",)).select_related("site").order_by("pk")
    people = list(_with_facts(locked))
    exams = [one.result_exam for one in people if one.result_at is not None]
    open_exams, closed = exams_with_open_referral(exams), closed_referrals(exams)
    changed = [
        patient
        for patient in people
        if _set_columns(patient, is_referred=patient.result_exam in open_exams, closed=closed.get(patient.result_exam))
    ]
    Patient.objects.bulk_update(changed, COLUMNS)
    return len(changed)


def _with_facts(patients: QuerySet[Patient]) -> Iterable[Any]:
    """Patients with the last valid result and the newest entry of the register."""
    results = Review.objects.filter(IN_FORCE, exam__patient=OuterRef("pk")).order_by("-exam__created_at", "-signed_at")
    entries = RegisterEntry.objects.filter(patient=OuterRef("pk")).order_by("-created_at", "pk")
    return patients.annotate(
        result_at=Subquery(results.values("exam__created_at")[:1]),
        result_handed_over_at=Subquery(results.values("exam__submitted_at")[:1]),
        result_exam=Subquery(results.values("exam")[:1], output_field=UUIDField()),
        result_recall_on=Subquery(results.values("recall_on")[:1]),
        entry_reason=Subquery(entries.values("reason")[:1]),
        entry_from_on=Subquery(entries.values("from_on")[:1]),
    ).prefetch_related(
        Prefetch("contacts", ContactAttempt.objects.order_by("on", "created_at"), to_attr="contacts_in_order")
    )


def _set_columns(patient: Any, *, is_referred: bool, closed: ClosedReferral | None) -> bool:
    """Set the columns of one patient; whether one has changed. A cycle begins with a result or a closed referral.

    ``is_referred``: the referral of the last result is open.
    """
    before = {name: getattr(patient, name) for name in COLUMNS}
    zone = patient.site.zone
    patient.screened_on = None if patient.result_at is None else timezone.localdate(patient.result_at, zone)
    begun_on, recall_on = _handed_over_on(patient), None if is_referred else patient.result_recall_on
    if closed is not None and begun_on is not None:
        begun_on, recall_on = max(begun_on, closed.closed_on), closed.due_on
    eligibility = _eligibility(patient)
    due_on = due_date(
        registered_on=timezone.localdate(patient.created_at, zone),
        screened_on=begun_on,
        recall_on=recall_on,
        eligibility=eligibility,
    )
    rules = patient.site.recall_rules
    contacts = _contacts(patient, begun_on, eligibility)
    patient.due_on, contacts = present_round(due_on, contacts, rules=rules, today=timezone.localdate(timezone=zone))
    step = next_step(due_on=patient.due_on, contacts=contacts, rules=rules)
    patient.next_step, patient.next_step_on = ("", None) if step is None else (step[0].value, step[1])
    return any(getattr(patient, name) != value for name, value in before.items())


def _handed_over_on(patient: Any) -> datetime.date | None:
    """When the exam of the last result was handed over: contacts since it was opened were about this exam."""
    screened_on: datetime.date | None = patient.screened_on
    if screened_on is None or patient.result_handed_over_at is None:
        return screened_on
    handed_over_on: datetime.date = timezone.localdate(patient.result_handed_over_at, patient.site.zone)
    return max(screened_on, handed_over_on)


def _contacts(patient: Any, begun_on: datetime.date | None, eligibility: Eligibility | None) -> list[Contact]:
    """Contacts of the present cycle, oldest first."""
    return [
        Contact(ContactKind(row.kind), ContactResult(row.result), row.on)
        for row in patient.contacts_in_order
        if is_of_cycle(row.on, screened_on=begun_on, eligibility=eligibility)
    ]


def _eligibility(patient: Any) -> Eligibility | None:
    if patient.entry_reason is None:
        return None
    from_on: datetime.date = patient.entry_from_on
    status, reason = RegisterStatus(patient.register_status), RegisterReason(patient.entry_reason)
    return Eligibility(status, reason, from_on, patient.register_until)
