"""Patients: registering them and changing their details."""

import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from screening.access import Action, require
from screening.labels.limits import too_long
from screening.models import AuditEvent, Patient, Site, User
from screening.models.base import max_length
from screening.services.audit import record_event

MIN_BIRTH_YEAR = 1900
"""The oldest person alive in 2025 was born in 1909."""
_TEXT_FIELDS = ("mrn", "given_name", "family_name")


class InvalidPatient(ValueError):
    """A detail of the patient is invalid. ``field`` is its name; the message is for the user."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class PatientExists(InvalidPatient):
    """The medical record number is already registered at this site."""

    def __init__(self) -> None:
        message = _("This medical record number is already registered at this site. Open that patient instead.")
        super().__init__("mrn", message)


@transaction.atomic
def register_patient(
    *,
    site: Site,
    mrn: str,
    given_name: str,
    family_name: str,
    born_on: datetime.date,
    sex: str = Patient.Sex.UNKNOWN,
    diabetes_type: str = Patient.DiabetesType.UNKNOWN,
    diabetes_since_year: int | None = None,
    by: User,
) -> Patient:
    """Register a patient, identified by the medical record number and not by name.

    Raises InvalidPatient, PatientExists, AccessDenied.
    """
    require(by, Action.REGISTER_PATIENT, site)
    patient = Patient(
        site=site,
        mrn=mrn.strip(),
        given_name=given_name.strip(),
        family_name=family_name.strip(),
        born_on=born_on,
        sex=sex,
        diabetes_type=diabetes_type,
        diabetes_since_year=diabetes_since_year,
    )
    _save(patient)
    record_event(verb=AuditEvent.Verb.PATIENT_REGISTERED, subject=patient, site=site, by=by)
    return patient


@transaction.atomic
def update_patient(
    *,
    patient: Patient,
    mrn: str,
    given_name: str,
    family_name: str,
    born_on: datetime.date,
    sex: str,
    diabetes_type: str,
    diabetes_since_year: int | None,
    by: User,
) -> Patient:
    """Change a patient's details. The audit event has the names of the changed fields, not their values.

    Raises InvalidPatient, PatientExists, AccessDenied.
    """
    locked = Patient.objects.select_for_update(of=("self",)).select_related("site").get(pk=patient.pk)
    require(by, Action.UPDATE_PATIENT, locked.site)
    details: dict[str, object] = {
        "mrn": mrn.strip(),
        "given_name": given_name.strip(),
        "family_name": family_name.strip(),
        "born_on": born_on,
        "sex": sex,
        "diabetes_type": diabetes_type,
        "diabetes_since_year": diabetes_since_year,
    }
    changed = [field for field, value in details.items() if getattr(locked, field) != value]
    if changed:
        for field in changed:
            setattr(locked, field, details[field])
        _save(locked)
        record_event(
            verb=AuditEvent.Verb.PATIENT_UPDATED,
            subject=locked,
            site=locked.site,
            data={"fields": ",".join(changed)},
            by=by,
        )
    return locked


def _save(patient: Patient) -> None:
    _validate(patient)
    try:
        with transaction.atomic():
            patient.save()
    except IntegrityError as error:
        if Patient.objects.filter(site=patient.site, mrn=patient.mrn).exclude(pk=patient.pk).exists():
            raise PatientExists from error
        raise


def _validate(patient: Patient) -> None:
    for field in _TEXT_FIELDS:
        value, limit = str(getattr(patient, field)), max_length(Patient, field)
        if not value:
            raise InvalidPatient(field, _("This is missing. Fill it in."))
        if len(value) > limit:
            raise InvalidPatient(field, too_long(limit))
        if not value.isprintable():
            raise InvalidPatient(field, _("This has characters that cannot be printed. Type it again."))
    today = timezone.localdate(timezone=patient.site.zone)
    if patient.born_on > today:
        raise InvalidPatient("born_on", _("The birth date is in the future. Check the year."))
    if patient.born_on.year < MIN_BIRTH_YEAR:
        raise InvalidPatient("born_on", _("The birth date is before 1900. Check the year."))
    if patient.sex not in Patient.Sex.values:
        raise InvalidPatient("sex", _("Choose one of: F, M, X, U."))
    if patient.diabetes_type not in Patient.DiabetesType.values:
        raise InvalidPatient("diabetes_type", _("Choose one of: 1, 2, other, unknown."))
    year = patient.diabetes_since_year
    if year is not None and not patient.born_on.year <= year <= today.year:
        raise InvalidPatient(
            "diabetes_since_year", _("Diabetes cannot begin before birth or after this year. Check the year.")
        )
