"""Details of a patient: cleaning and checking them."""

import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from screening.birth_dates import MAX_AGE_YEARS, MAX_ESTIMATE_ERROR_YEARS, InvalidBirthDate, parse_birth_date
from screening.folding import clean_name, clean_number, is_writable
from screening.labels.addresses import address_text
from screening.labels.births import BIRTH_DATE_ADVICE
from screening.labels.limits import too_long
from screening.models import Patient
from screening.models.base import max_length
from screening.policy.messages import MessageConsent
from screening.postal_addresses import InvalidAddress, clean_address
from screening.services.message_channels import is_email_address, mobile_of


class InvalidPatient(ValueError):
    """A detail of the patient is invalid. ``field`` is its name; the message is for the user."""

    def __init__(self, field: str, message: str, *other_fields: str) -> None:
        super().__init__(message)
        self.field = field
        self.fields = (field, *other_fields)


def clean_patient(patient: Patient) -> None:
    """Clean the details of a patient in place, without saving. Raises InvalidPatient."""
    today = timezone.localdate(timezone=patient.site.zone)
    _clean_names(patient)
    _clean_birth(patient, today)
    if patient.sex not in Patient.Sex.values:
        raise InvalidPatient("sex", _("Choose one of: F, M, X, U."))
    if patient.diabetes_type not in Patient.DiabetesType.values:
        raise InvalidPatient("diabetes_type", _("Choose one of: 1, 2, other, unknown."))
    _clean_phone(patient)
    _clean_addresses(patient)
    _clean_messages(patient)
    year = patient.diabetes_since_year
    if year is not None and not _first_birth_year(patient) <= year <= today.year:
        raise InvalidPatient(
            "diabetes_since_year", _("Diabetes cannot begin before birth or after this year. Check the year.")
        )


def _clean_names(patient: Patient) -> None:
    """NB: the number stays as typed: capitals, dashes, blanks and zeros count."""
    patient.mrn = clean_number(patient.mrn)
    patient.family_name, patient.given_name = clean_name(patient.family_name), clean_name(patient.given_name)
    if not patient.mrn:
        raise InvalidPatient("mrn", _("This is missing. Fill it in."))
    if not (patient.family_name or patient.given_name):
        raise InvalidPatient("family_name", _("Fill in the family name or the given name. One suffices."), "given_name")
    for field in ("mrn", "family_name", "given_name"):
        value, limit = str(getattr(patient, field)), max_length(Patient, field)
        if len(value) > limit:
            raise InvalidPatient(field, too_long(limit))
        if not is_writable(value, allows_joiners=field != "mrn"):
            raise InvalidPatient(field, _("This has characters that cannot be printed. Type it again."))


def _clean_phone(patient: Patient) -> None:
    patient.phone = clean_number(patient.phone)
    limit = max_length(Patient, "phone")
    if len(patient.phone) > limit:
        raise InvalidPatient("phone", too_long(limit))
    if not all(character.isdigit() or character in "+-/(). " for character in patient.phone):
        raise InvalidPatient("phone", _("Use digits, blanks and + - / ( ) alone, for example +44 20 7946 0000."))


def _clean_addresses(patient: Patient) -> None:
    for field in ("postal_address", "doctor_address"):
        try:
            setattr(patient, field, clean_address(getattr(patient, field)))
        except InvalidAddress as error:
            raise InvalidPatient(field, address_text(error)) from error


def _clean_messages(patient: Patient) -> None:
    """A consent to messages needs an address to which they can be sent."""
    patient.email = patient.email.strip()
    if patient.email and not is_email_address(patient.email):
        raise InvalidPatient("email", _("This is no e-mail address. Write it like name@example.org."))
    if patient.language and patient.language not in dict(settings.MESSAGE_LANGUAGES):
        raise InvalidPatient("language", _("This is no language code. Write it like en, de or pt-br."))
    for field in ("email_consent", "sms_consent"):
        if getattr(patient, field) not in list(MessageConsent):
            raise InvalidPatient(field, _("Choose one of: yes, no, or nothing if the person was not asked."))
    if patient.email_consent == MessageConsent.GIVEN and not patient.email:
        raise InvalidPatient("email", _("Fill in the e-mail address for messages, or choose that there is no consent."))
    if patient.sms_consent == MessageConsent.GIVEN and not mobile_of(patient):
        raise InvalidPatient(
            "phone",
            _(
                "Text messages need a mobile number that exists, with the code of the country, such as "
                "+44 7400 123456. Correct it, or choose that there is no consent."
            ),
        )


def _clean_birth(patient: Patient, today: datetime.date) -> None:
    try:
        patient.born_on = parse_birth_date(str(patient.born_on))
    except InvalidBirthDate as error:
        raise InvalidPatient("born_on", str(BIRTH_DATE_ADVICE)) from error
    if patient.estimated_age is not None:
        _clean_estimate(patient, today)
    elif patient.age_estimated_on is not None:
        raise InvalidPatient("estimated_age", _("Fill in the age that was estimated on this day."))
    elif patient.born_on:
        if patient.birth.period[0] > today:
            raise InvalidPatient("born_on", _("The birth date is in the future. Check the year."))
        if patient.birth.ages_on(today)[0] > MAX_AGE_YEARS:
            raise InvalidPatient("born_on", _too_old())


def _clean_estimate(patient: Patient, today: datetime.date) -> None:
    if patient.born_on:
        raise InvalidPatient("estimated_age", _("Fill in the birth date or an estimated age, not both."))
    patient.age_estimated_on = patient.age_estimated_on or today
    if patient.age_estimated_on > today:
        raise InvalidPatient("age_estimated_on", _("This day is in the future. Check the date."))
    if patient.estimated_age is not None and patient.estimated_age < 0:
        raise InvalidPatient("estimated_age", _("An age cannot be negative. Check it."))
    if (patient.estimated_age or 0) > MAX_AGE_YEARS or patient.birth.ages_on(today)[0] > MAX_AGE_YEARS:
        raise InvalidPatient("estimated_age", _too_old())


def _too_old() -> str:
    return _("This makes the patient older than %(age)d years. Check it.") % {"age": MAX_AGE_YEARS}


def _first_birth_year(patient: Patient) -> int:
    """The first year in which the patient can be born; 0 if unknown."""
    if not patient.birth.is_known:
        return 0
    slack_years = 0 if patient.estimated_age is None else MAX_ESTIMATE_ERROR_YEARS
    return patient.birth.period[0].year - slack_years
