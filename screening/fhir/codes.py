"""Codes of the resources: those of LOINC and HL7, and our own for what they have no code for."""

from typing import Any

from ml.vocabulary import ICDRGrade, Laterality
from screening.models import Patient

Json = dict[str, Any]

LOINC = "http://loinc.org"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
OWN = "urn:oid:2.25.95067013417973575237647717580814691765"
"""Our code system, of a random UUID (ITU-T X.667), because an installation has no address that all others know."""
REPORT_STATUS = "http://hl7.org/fhir/diagnostic-report-status"
UNITS = "http://unitsofmeasure.org"
_HL7 = "http://terminology.hl7.org/CodeSystem/"

SEVERITY = {
    Laterality.RIGHT: ("71491-5", "Right eye Diabetic retinopathy severity level by Ophthalmoscopy"),
    Laterality.LEFT: ("71490-7", "Left eye Diabetic retinopathy severity level by Ophthalmoscopy"),
}
"""Source: loinc.org, answer list LL2117-1, which names both. NB: the left eye has the smaller number."""
GRADES = {
    ICDRGrade.NONE: ("LA18643-9", "No apparent retinopathy"),
    ICDRGrade.MILD: ("LA18644-7", "Mild non-proliferative retinopathy"),
    ICDRGrade.MODERATE: ("LA18645-4", "Moderate non-proliferative retinopathy"),
    ICDRGrade.SEVERE: ("LA18646-2", "Severe non-proliferative retinopathy"),
    ICDRGrade.PROLIFERATIVE: ("LA18648-8", "Proliferative retinopathy"),
}
"""Source: loinc.org, answer list LL2117-1. NB: it has no LA18647-0."""
GENDERS = {
    Patient.Sex.FEMALE: "female",
    Patient.Sex.MALE: "male",
    Patient.Sex.OTHER: "other",
    Patient.Sex.UNKNOWN: "unknown",
}
OPHTHALMIC_PHOTOGRAPHY = {"system": DICOM, "code": "OP", "display": "Ophthalmic Photography"}
PHOTOGRAPHY_8_BIT = "urn:oid:1.2.840.10008.5.1.4.1.1.77.1.5.1"
IMAGING = {"coding": [{"system": f"{_HL7}observation-category", "code": "imaging", "display": "Imaging"}]}


def own_concept(code: str, text: str) -> Json:
    """A CodeableConcept of our code system."""
    return {"coding": [{"system": OWN, "code": code, "display": text}], "text": text}


def loinc_concept(code: tuple[str, str], text: str) -> Json:
    """A CodeableConcept of LOINC, with our text."""
    return {"coding": [{"system": LOINC, "code": code[0], "display": code[1]}], "text": text}


def absent(code: str, text: str) -> Json:
    """The reason why there is no value; ``code`` is one of HL7's data-absent-reason."""
    return {"coding": [{"system": f"{_HL7}data-absent-reason", "code": code}], "text": text}


def identifier_type(code: str) -> Json:
    """The kind of an identifier, of HL7 table 0203."""
    return {"coding": [{"system": f"{_HL7}v2-0203", "code": code}]}
