"""Questions about a DICOM file before its photograph is stored: whether it is of this patient, and of this eye."""

from django.utils.translation import gettext as _

from ml.serving.files.dicom_header import DicomHeader
from ml.vocabulary import Laterality
from screening.birth_dates import BirthDate
from screening.folding import are_same_names, fold_name, fold_number
from screening.labels.eyes import EYE_LABELS
from screening.labels.sentences import joined, within_sentence
from screening.models import Patient
from screening.services.upload_checks import DICOM_EYE, DICOM_PATIENT, Answers, UploadQuestion

MIN_IDENTIFIERS = 2
"""Of record number, name and birth date: at least two identify a person (WHO, Patient Identification, 2007)."""


class DicomOfOtherPatient(UploadQuestion):
    """The DICOM file names another person than the patient of the exam."""

    def __init__(self, different: list[str]) -> None:
        message = _(
            "This DICOM file may be of another patient. These differ from the patient of this exam: %(facts)s. "
            "Check who was photographed. Confirm it only if the photograph shows this patient."
        )
        super().__init__(DICOM_PATIENT, message % {"facts": joined(different)})


class DicomOfOtherEye(UploadQuestion):
    """The DICOM file names the other eye than the uploader."""

    def __init__(self, laterality: Laterality) -> None:
        message = _(
            "The DICOM file states that this is the %(eye)s. Choose that eye, or confirm the one that you have chosen."
        )
        super().__init__(DICOM_EYE, message % {"eye": within_sentence(EYE_LABELS[laterality])})


def require_dicom_answers(header: DicomHeader, *, patient: Patient, eye: Laterality, answers: Answers) -> list[str]:
    """The codes of the questions that the file raises, all of which ``answers`` confirm.

    Raises DicomOfOtherPatient, DicomOfOtherEye.
    """
    raised = []
    different = different_identifiers(header, patient)
    if different:
        raised.append(DICOM_PATIENT)
        if DICOM_PATIENT not in answers.confirmed:
            raise DicomOfOtherPatient(different)
    if header.laterality not in {None, eye}:
        raised.append(DICOM_EYE)
        if DICOM_EYE not in answers.confirmed:
            raise DicomOfOtherEye(Laterality(header.laterality))
    return raised


def different_identifiers(header: DicomHeader, patient: Patient) -> list[str]:
    """Labels of the identifiers that differ, unless MIN_IDENTIFIERS others are equal; empty for the same person.

    What the file or the record does not have is neither equal nor different: a file without identifiers raises no
    question, as a JPEG does not. Many cameras have numbers of persons that are not those of the clinic; but a number
    that the site has for another patient is always asked about.
    """
    registered = _registered(header, patient)
    compared = {
        _("medical record number"): _is_same_number(header, patient, registered),
        _("name"): _is_same_name(header, patient),
        _("birth date"): _is_same_birth(header, patient),
    }
    different = [label for label, is_same in compared.items() if is_same is False]
    is_identified = sum(1 for is_same in compared.values() if is_same) >= MIN_IDENTIFIERS
    is_of_other = registered is not None and patient.pk not in {registered.pk, registered.merged_into_id}
    return different if is_of_other or not is_identified else []


def _registered(header: DicomHeader, patient: Patient) -> Patient | None:
    """The patient of the site who has the number of the file."""
    number = fold_number(header.patient_id)
    return Patient.objects.filter(site=patient.site_id, folded_mrn=number).first() if number else None


def _is_same_number(header: DicomHeader, patient: Patient, registered: Patient | None) -> bool | None:
    """Equal also if it is that of a record that was merged into this one."""
    if not fold_number(header.patient_id):
        return None
    return registered is not None and patient.pk in {registered.pk, registered.merged_into_id}


def _is_same_name(header: DicomHeader, patient: Patient) -> bool | None:
    """Equal in one of the scripts; middle names that only one of the two has are ignored."""
    if not header.name_groups:
        return None
    recorded = (patient.family_name, patient.given_name)
    return any(are_same_names(group, recorded) or _is_shorter_form(group, recorded) for group in header.name_groups)


def _is_shorter_form(one: tuple[str, str], other: tuple[str, str]) -> bool:
    terms, others = (set(fold_name(" ".join(names)).split()) for names in (one, other))
    return min(len(terms), len(others)) >= MIN_IDENTIFIERS and (terms <= others or others <= terms)


def _is_same_birth(header: DicomHeader, patient: Patient) -> bool | None:
    """True for two equal days only: with a month, a year or an estimated age, many people have the same birth date."""
    birth = BirthDate(header.birth_date)
    if not birth.could_be(patient.birth):
        return False
    return True if birth.born_on == patient.birth.born_on and birth.born_on.count("-") == 2 else None
