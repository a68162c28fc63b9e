"""Details of a patient: cleaning and checking them."""

import datetime

from django.conf import settings
from django.utils import timezone

from screening.birth_dates import MAX_AGE_YEARS, MAX_ESTIMATE_ERROR_YEARS, InvalidBirthDate, parse_birth_date
from screening.folding import clean_name, clean_number, is_writable
from screening.labels.addresses import address_refusal
from screening.labels.refusals import refusal_text
from screening.models import Patient
from screening.models.base import max_length
from screening.policy.messages import MessageConsent
from screening.postal_addresses import InvalidAddress, clean_address
from screening.services.message_channels import is_email_address, mobile_of


class InvalidPatient(ValueError):
    """A detail of the patient is invalid. ``field`` is its name; the message is for the user.

    ``code`` is one of ``PATIENT_TEXTS``, with the values of its text.
    """

    def __init__(self, field: str, code: str, *other_fields: str, **values: int) -> None:
        super().__init__(refusal_text(code, values))
        self.field, self.code, self.values = field, code, values
        self.fields = (field, *other_fields)


def clean_patient(patient: Patient) -> None:
    """Clean the details of a patient in place, without saving. Raises InvalidPatient."""
    today = timezone.localdate(timezone=patient.site.zone)
    _clean_names(patient)
    _clean_birth(patient, today)
    if patient.sex not in Patient.Sex.values:
        raise InvalidPatient("sex", "sex")
    if patient.diabetes_type not in Patient.DiabetesType.values:
        raise InvalidPatient("diabetes_type", "diabetes_type")
    _clean_phone(patient)
    _clean_addresses(patient)
    _clean_messages(patient)
    year = patient.diabetes_since_year
    if year is not None and not _first_birth_year(patient) <= year <= today.year:
        raise InvalidPatient("diabetes_since_year", "diabetes_year")


def _clean_names(patient: Patient) -> None:
    """NB: the number stays as typed: capitals, dashes, blanks and zeros count."""
    patient.mrn = clean_number(patient.mrn)
    patient.family_name, patient.given_name = clean_name(patient.family_name), clean_name(patient.given_name)
    if not patient.mrn:
        raise InvalidPatient("mrn", "missing")
    if not (patient.family_name or patient.given_name):
        raise InvalidPatient("family_name", "no_name", "given_name")
    for field in ("mrn", "family_name", "given_name"):
        value, limit = str(getattr(patient, field)), max_length(Patient, field)
        if len(value) > limit:
            raise InvalidPatient(field, "too_long", limit=limit)
        if not is_writable(value, allows_joiners=field != "mrn"):
            raise InvalidPatient(field, "unprintable")


def _clean_phone(patient: Patient) -> None:
    patient.phone = clean_number(patient.phone)
    limit = max_length(Patient, "phone")
    if len(patient.phone) > limit:
        raise InvalidPatient("phone", "too_long", limit=limit)
    if not all(character.isdigit() or character in "+-/(). " for character in patient.phone):
        raise InvalidPatient("phone", "phone")


def _clean_addresses(patient: Patient) -> None:
    for field in ("postal_address", "doctor_address"):
        try:
            setattr(patient, field, clean_address(getattr(patient, field)))
        except InvalidAddress as error:
            code, values = address_refusal(error)
            raise InvalidPatient(field, code, **values) from error


def _clean_messages(patient: Patient) -> None:
    """A consent to messages needs an address to which they can be sent."""
    patient.email = patient.email.strip()
    if patient.email and not is_email_address(patient.email):
        raise InvalidPatient("email", "email")
    if patient.language and patient.language not in dict(settings.MESSAGE_LANGUAGES):
        raise InvalidPatient("language", "language")
    for field in ("email_consent", "sms_consent"):
        if getattr(patient, field) not in list(MessageConsent):
            raise InvalidPatient(field, "consent")
    if patient.email_consent == MessageConsent.GIVEN and not patient.email:
        raise InvalidPatient("email", "email_for_consent")
    if patient.sms_consent == MessageConsent.GIVEN and not mobile_of(patient):
        raise InvalidPatient(
            "phone",
            "phone_for_consent",
        )


def _clean_birth(patient: Patient, today: datetime.date) -> None:
    try:
        patient.born_on = parse_birth_date(str(patient.born_on))
    except InvalidBirthDate as error:
        raise InvalidPatient("born_on", "birth_date") from error
    if patient.estimated_age is not None:
        _clean_estimate(patient, today)
    elif patient.age_estimated_on is not None:
        raise InvalidPatient("estimated_age", "age_missing")
    elif patient.born_on:
        if patient.birth.period[0] > today:
            raise InvalidPatient("born_on", "birth_in_future")
        if patient.birth.ages_on(today)[0] > MAX_AGE_YEARS:
            raise InvalidPatient("born_on", "too_old", age=MAX_AGE_YEARS)


def _clean_estimate(patient: Patient, today: datetime.date) -> None:
    if patient.born_on:
        raise InvalidPatient("estimated_age", "age_and_birth")
    patient.age_estimated_on = patient.age_estimated_on or today
    if patient.age_estimated_on > today:
        raise InvalidPatient("age_estimated_on", "estimate_in_future")
    if patient.estimated_age is not None and patient.estimated_age < 0:
        raise InvalidPatient("estimated_age", "age_negative")
    if (patient.estimated_age or 0) > MAX_AGE_YEARS or patient.birth.ages_on(today)[0] > MAX_AGE_YEARS:
        raise InvalidPatient("estimated_age", "too_old", age=MAX_AGE_YEARS)


def _first_birth_year(patient: Patient) -> int:
    """The first year in which the patient can be born; 0 if unknown."""
    if not patient.birth.is_known:
        return 0
    slack_years = 0 if patient.estimated_age is None else MAX_ESTIMATE_ERROR_YEARS
    return patient.birth.period[0].year - slack_years
