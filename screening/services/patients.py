"""Patients: registering them and changing their details."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction

from screening.access import Action, require
from screening.folding import index_terms
from screening.models import AuditEvent, Patient, PatientSearchTerm, Site, User
from screening.services.audit import record_event
from screening.services.patient_details import InvalidPatient, clean_patient
from screening.services.patient_questions import PatientNotConfirmed, PatientQuestion, questions_about
from screening.stored_values import require_unchanged

_PERSON = frozenset({"given_name", "family_name", "born_on", "estimated_age", "age_estimated_on"})
"""Details by which two records of one person are found."""


class PatientDetails(TypedDict, total=False):
    """Details of a patient. ``born_on`` is YYYY-MM-DD, YYYY-MM, YYYY or empty; ``age_estimated_on`` today if None."""

    mrn: str
    given_name: str
    family_name: str
    born_on: str | datetime.date
    estimated_age: int | None
    age_estimated_on: datetime.date | None
    sex: str
    diabetes_type: str
    diabetes_since_year: int | None
    phone: str
    postal_address: str
    doctor_address: str
    email: str
    language: str
    email_consent: str
    sms_consent: str


class PatientExists(InvalidPatient):
    """The medical record number is already registered at this site, for ``existing``.

    If that record is merged into another one, ``existing`` is the other one.
    """

    def __init__(self, existing: Patient | None = None) -> None:
        super().__init__("mrn", "number_exists")
        self.existing = existing


@transaction.atomic
def register_patient(
    *, site: Site, confirm: Iterable[str] = (), by: User, **details: Unpack[PatientDetails]
) -> Patient:
    """Register a patient, identified by the medical record number as typed and not by name.

    ``confirm`` has the ``answers`` of PatientNotConfirmed. Raises InvalidPatient, PatientExists, PatientNotConfirmed,
    AccessDenied.
    """
    require(by, Action.REGISTER_PATIENT, site)
    patient = Patient(site=site, **details)
    clean_patient(patient)
    confirmed = confirm_patient(patient, set(details) | {"mrn"}, confirm)
    save_patient(patient)
    record_event(verb=AuditEvent.Verb.PATIENT_REGISTERED, subject=patient, site=site, data=confirmed, by=by)
    return patient


@transaction.atomic
def update_patient(
    *,
    patient: Patient,
    base: Mapping[str, Any] | None = None,
    confirm: Iterable[str] = (),
    by: User,
    **details: Unpack[PatientDetails],
) -> Patient:
    """Change the given details of a patient. The audit event has the names of the changed fields, not their values.

    A birth date replaces an estimated age, and the reverse. ``confirm`` has the ``answers`` of PatientNotConfirmed.
    ``base``: the details when the user saw them; others may have changed them. Raises ValuesChanged, InvalidPatient,
    PatientExists, PatientNotConfirmed, AccessDenied.
    """
    locked = Patient.objects.select_for_update(of=("self",)).select_related("site").get(pk=patient.pk)
    require(by, Action.UPDATE_PATIENT, locked.site)
    before = {field: getattr(locked, field) for field in PatientDetails.__annotations__}
    entered = _with_one_birth(details, locked)
    require_unchanged(entered, base=base or {}, stored=before)
    for field, value in entered.items():
        setattr(locked, field, value)
    clean_patient(locked)
    changed = [field for field, value in before.items() if getattr(locked, field) != value]
    if changed:
        confirmed = confirm_patient(locked, set(changed), confirm)
        save_patient(locked)
        data = {"fields": ",".join(changed), **confirmed}
        record_event(verb=AuditEvent.Verb.PATIENT_UPDATED, subject=locked, site=locked.site, data=data, by=by)
    return locked


def _with_one_birth(details: PatientDetails, stored: Patient) -> PatientDetails:
    """The details, without the stored date or estimate that a new one replaces."""
    full: PatientDetails = {**details}
    if details.get("born_on"):
        full.setdefault("estimated_age", None)
    if details.get("estimated_age") is not None:
        full.setdefault("born_on", "")
    if full.get("estimated_age", stored.estimated_age) is None:
        full.setdefault("age_estimated_on", None)
    elif full.get("estimated_age") == stored.estimated_age and full.get("age_estimated_on") is None:
        full["age_estimated_on"] = stored.age_estimated_on
    elif "estimated_age" in full:
        full.setdefault("age_estimated_on", None)
    return full


def confirm_patient(patient: Patient, changed: set[str], answers: Iterable[str]) -> dict[str, str]:
    """Require an answer to each question that ``changed`` details raise, before the patient is saved.

    Returns data for the audit event. Locks the site. Raises PatientNotConfirmed, PatientExists.
    """
    Site.objects.select_for_update(no_key=True).get(pk=patient.site_id)  # of two at once, the second sees the first
    _require_new_number(patient)
    questions = tuple(question for question in questions_about(patient) if _is_raised(question, changed))
    given = frozenset(answers)
    if any(not question.answers <= given for question in questions):
        raise PatientNotConfirmed(patient.site, questions)
    return {"confirmed": ",".join(question.code for question in questions)} if questions else {}


def _is_raised(question: PatientQuestion, changed: set[str]) -> bool:
    """Whether the details that a question is about have changed."""
    return question.field in changed if question.field == "mrn" else bool(changed & _PERSON)


def _require_new_number(patient: Patient) -> None:
    same_number = Patient.objects.filter(site=patient.site, mrn=patient.mrn).exclude(pk=patient.pk)
    existing = same_number.select_related("merged_into").first()
    if existing is not None:
        raise PatientExists(existing.merged_into or existing)


def save_patient(patient: Patient) -> None:
    """Store a patient with the terms under which they are found. Raises PatientExists.

    The caller has checked the details, and records the audit event.
    """
    try:
        with transaction.atomic():
            patient.save()
    except IntegrityError:
        _require_new_number(patient)
        raise
    store_search_terms(patient)


def store_search_terms(patient: Patient) -> None:
    """Store the terms of the patient's present names."""
    terms = index_terms(patient.family_name, patient.given_name)
    stored = set(patient.search_terms.values_list("term", flat=True))
    patient.search_terms.filter(term__in=stored - terms).delete()
    PatientSearchTerm.objects.bulk_create(PatientSearchTerm(patient=patient, term=term) for term in terms - stored)
