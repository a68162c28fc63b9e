"""Writing rows of people: copied within the database, with their search terms and audit events."""

from typing import Any

from django.db import IntegrityError
from django.db.models import F, Q
from django.utils import timezone

from screening.models import AuditEvent, DataImport, Patient, PatientSearchTerm, StagedPerson, StagedTerm, User
from screening.policy.imports import RowAction
from screening.services.imports.statements import insert_from, update_from

DETAILS = (
    "given_name", "family_name", "born_on", "sex", "diabetes_type", "diabetes_since_year", "phone",
    "postal_address", "doctor_address",
)  # fmt: skip
"""Columns of a patient that a file can change."""
FOLDED = ("folded_mrn", "folded_name", "name_key")
_Verb = AuditEvent.Verb
_CHANGES = (
    _Verb.PATIENT_REGISTERED,
    _Verb.PATIENT_UPDATED,
    _Verb.PATIENTS_MERGED,
    _Verb.PATIENTS_UNMERGED,
    _Verb.ROW_ADDED,
    _Verb.ROW_CHANGED,
    _Verb.ROW_REMOVED,
)


def lock_people(data_import: DataImport) -> None:
    """Lock the people whom rows change. NB: before the lock of the site, as a change of details does."""
    rows = StagedPerson.objects.filter(data_import=data_import, action=RowAction.CHANGE)
    for _pk in (
        Patient.objects.filter(pk__in=rows.values("target")).select_for_update().order_by("pk").values_list("pk")
    ):
        pass


def is_outdated(data_import: DataImport) -> bool:
    """Whether a person whom a row is about, or could be about, was registered or changed since the check began.

    The caller has the lock of the site, so that no change is made meanwhile.
    """
    events = AuditEvent.objects.filter(pk__gt=data_import.basis_event, site=data_import.site, object_type="patient")
    ids = set(events.filter(verb__in=_CHANGES).order_by().values_list("object_id", flat=True))
    changed = Patient.objects.filter(site=data_import.site, pk__in=ids).order_by()
    rows = StagedPerson.objects.filter(data_import=data_import)
    return rows.filter(
        Q(target__in=ids)
        | Q(folded_mrn__in=list(changed.values_list("folded_mrn", flat=True)))
        | Q(name_key__in=list(changed.values_list("name_key", flat=True)))
    ).exists()


def write_people(data_import: DataImport, rows: Any, by: User) -> None:
    """Add and change people. A birth date replaces an estimated age.

    Raises IntegrityError if another number of people was written than there are rows.
    """
    added, changed = rows.filter(action=RowAction.ADD), rows.filter(action=RowAction.CHANGE)
    today = timezone.localdate(timezone=data_import.site.zone)
    copied = {name: F(name) for name in ("mrn", *DETAILS, *FOLDED)}
    dates = {"created_at": timezone.now(), "due_on": today, "next_step_on": today}
    has_date = changed.exclude(born_on="").values("target")
    Patient.objects.filter(pk__in=has_date, estimated_age__isnull=False).update(
        estimated_age=None, age_estimated_on=None
    )
    n_added = insert_from(Patient, added, {**copied, **dates, "id": F("target"), "site": data_import.site})
    n_changed = update_from(Patient, changed, (*DETAILS, *FOLDED), key="target")
    if (n_added, n_changed) != (added.count(), changed.count()):
        raise IntegrityError("Another number of people was written than rows were checked.")
    _write_terms(added, changed)
    _write_events(data_import, added, changed, by)


def _write_terms(added: Any, changed: Any) -> None:
    """The terms of new people, and those of changed people in place of the terms that they had."""
    PatientSearchTerm.objects.filter(patient__in=changed.values("target")).delete()
    for rows in (added, changed):
        terms = StagedTerm.objects.filter(person__in=rows.order_by().values("pk"))
        insert_from(PatientSearchTerm, terms, {"patient": F("person__target"), "term": F("term")})


def _write_events(data_import: DataImport, added: Any, changed: Any, by: User) -> None:
    """One event for each person, as if each had been entered on the page."""
    values = {
        "at": timezone.now(),
        "actor": by,
        "object_type": "patient",
        "object_id": F("subject"),
        "site": data_import.site,
        "data": {"import": str(data_import.pk)},
    }
    insert_from(AuditEvent, added, {**values, "verb": _Verb.PATIENT_REGISTERED.value})
    insert_from(AuditEvent, changed, {**values, "verb": _Verb.PATIENT_UPDATED.value})
