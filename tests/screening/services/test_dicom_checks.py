"""DICOM files: whether they are of this patient and of this eye, and what their headers add."""

import datetime
from io import BytesIO
from typing import Any

import pytest

from ml.serving.files.dicom_header import DicomHeader
from screening.models import AuditEvent, Exam, FundusImage, User
from screening.services.dicom_checks import DicomOfOtherEye, DicomOfOtherPatient, different_identifiers
from screening.services.images import Answers, EyeRequired, PictureOfOtherEye, attach_image
from tests.builders import photo_bytes
from tests.dicom_files import coded_field, dicom_jpeg
from tests.screening.factories import ExamFactory, PatientFactory

pytestmark = pytest.mark.django_db
ADA: dict[str, Any] = {"mrn": "MRN-1", "family_name": "Lovelace", "given_name": "Ada", "born_on": "1960-12-10"}
HEADER: dict[str, Any] = {"patient_id": "MRN-1", "patient_name": "Lovelace^Ada", "birth_date": "1960-12-10"}
NUMBER, NAME, BIRTH = "medical record number", "name", "birth date"

COMPARED: list[tuple[str, dict[str, str], list[str]]] = [
    ("all are equal", {}, []),
    ("no identifiers in the file", {"patient_id": "", "patient_name": "", "birth_date": ""}, []),
    ("a number of the camera", {"patient_id": "000417"}, []),
    ("another name after a marriage", {"patient_name": "King^Ada"}, []),
    ("a wrong birth date", {"birth_date": "1961-12-10"}, []),
    ("only the year of the birth", {"patient_id": "000417", "birth_date": "1960"}, [NUMBER]),
    ("only the month of the birth", {"birth_date": "1960-12"}, []),
    ("another year of the birth", {"patient_id": "000417", "birth_date": "1961"}, [NUMBER, BIRTH]),
    ("a number written in another way", {"patient_id": " mrn-1", "patient_name": "", "birth_date": ""}, []),
    ("a middle name", {"patient_id": "", "patient_name": "LOVELACE^ADA^KING", "birth_date": ""}, []),
    ("names in one field", {"patient_id": "", "patient_name": "Ada Lovelace", "birth_date": ""}, []),
    ("names in the other order", {"patient_id": "000417", "patient_name": "Ada^Lovelace"}, []),
    ("one script of three", {"patient_id": "", "patient_name": "x^y=Lovelace^Ada=z^z"}, []),
    ("only a number, another one", {"patient_id": "9", "patient_name": "", "birth_date": ""}, [NUMBER]),
    ("number and name of another person", {"patient_id": "9", "patient_name": "Hopper^Grace"}, [NUMBER, NAME]),
    ("only the family name", {"patient_id": "9", "patient_name": "Lovelace", "birth_date": ""}, [NUMBER, NAME]),
    ("a name alone, another one", {"patient_id": "", "patient_name": "Hopper^Grace", "birth_date": ""}, [NAME]),
    ("an anonymous file", {"patient_id": "ANON", "patient_name": "ANONYMOUS", "birth_date": ""}, [NUMBER, NAME]),
]


@pytest.mark.parametrize(("values", "different"), [row[1:] for row in COMPARED], ids=[row[0] for row in COMPARED])
def test_two_equal_identifiers_are_the_same_person(values: dict[str, str], different: list[str]) -> None:
    patient = PatientFactory(**ADA)
    assert different_identifiers(DicomHeader(**(HEADER | values)), patient) == different


def test_the_number_of_another_patient_of_the_site_is_always_a_question() -> None:
    patient = PatientFactory(**ADA)
    other = PatientFactory(site=patient.site, mrn="MRN-2")
    header = DicomHeader(**(HEADER | {"patient_id": "mrn-2"}))
    assert different_identifiers(header, patient) == [NUMBER]
    other.merged_into = patient
    other.save()
    assert different_identifiers(header, patient) == [], "the record of the same person"


def test_the_number_of_a_patient_of_another_site_is_only_another_number() -> None:
    patient = PatientFactory(**ADA)
    PatientFactory(mrn="MRN-2")
    assert different_identifiers(DicomHeader(**(HEADER | {"patient_id": "MRN-2"})), patient) == []


def test_a_record_without_birth_date_is_compared_by_the_rest() -> None:
    patient = PatientFactory(**(ADA | {"born_on": ""}))
    assert different_identifiers(DicomHeader(**HEADER), patient) == []
    assert different_identifiers(DicomHeader(**(HEADER | {"patient_id": "9"})), patient) == [NUMBER]


def test_an_estimated_age_is_no_identifier() -> None:
    estimate = {"born_on": "", "estimated_age": 65, "age_estimated_on": datetime.date(2026, 1, 10)}
    patient = PatientFactory(**(ADA | estimate))
    assert different_identifiers(DicomHeader(**HEADER), patient) == []
    assert different_identifiers(DicomHeader(**(HEADER | {"patient_id": "9"})), patient) == [NUMBER]
    assert different_identifiers(DicomHeader(**(HEADER | {"patient_name": "Hopper^Grace"})), patient) == [NAME]
    young = {"patient_id": "9", "birth_date": "1990-01-01"}
    assert different_identifiers(DicomHeader(**(HEADER | young)), patient) == [NUMBER, BIRTH]


@pytest.fixture
def exam(exam: Exam) -> Exam:
    return ExamFactory(patient=PatientFactory(site=exam.site, **ADA), opened_by=exam.opened_by)


def attach(exam: Exam, by: User, data: bytes, **values: Any) -> FundusImage:
    return attach_image(exam=exam, upload=BytesIO(data), by=by, **values)


def event_of(image: FundusImage) -> dict[str, Any]:
    verb = AuditEvent.Verb.IMAGE_ATTACHED
    return dict(AuditEvent.objects.get(verb=verb, object_id=str(image.pk)).data)


def test_the_header_gives_what_the_uploader_leaves_open(exam: Exam, photographer: User) -> None:
    data = dicom_jpeg(PupilDilated="NO", RelativeImagePositionCodeSequence=coded_field("111901"), ImageLaterality="L")
    image = attach(exam, photographer, data)
    assert (image.laterality, image.field, image.pupil) == ("OS", "disc", "undilated")
    assert (str(image.captured_on), image.captured_on_source) == ("2026-03-01", "exif")
    assert (image.format, image.camera) == ("JPEG", "Optics Camera 45")
    assert (image.study_uid, image.instance_uid) == ("2.25.2", "2.25.1")
    with image.file.open("rb") as file:
        assert b"Lovelace" not in file.read()


def test_what_the_uploader_states_is_stored(exam: Exam, photographer: User) -> None:
    data = dicom_jpeg(PupilDilated="NO", RelativeImagePositionCodeSequence=coded_field("111901"))
    image = attach(exam, photographer, data, laterality="OD", field="other", pupil="dilated")
    assert (image.laterality, image.field, image.pupil) == ("OD", "other", "dilated")


def test_an_eye_that_neither_file_nor_uploader_states_is_required(exam: Exam, photographer: User) -> None:
    for data in (dicom_jpeg(ImageLaterality="B"), photo_bytes()):
        with pytest.raises(EyeRequired):
            attach(exam, photographer, data)
    assert not FundusImage.objects.exists()
    assert attach(exam, photographer, dicom_jpeg(ImageLaterality="B"), laterality="OS").laterality == "OS"


def test_the_other_eye_than_that_of_the_file_is_confirmed(exam: Exam, photographer: User) -> None:
    with pytest.raises(DicomOfOtherEye, match="this is the right eye"):
        attach(exam, photographer, dicom_jpeg(), laterality="OS")
    assert not FundusImage.objects.exists()
    answers = Answers(confirmed=["dicom_other_eye"])
    image = attach(exam, photographer, dicom_jpeg(), laterality="OS", answers=answers)
    assert image.laterality == "OS"
    assert event_of(image)["dicom_other_eye"] is True


def test_a_file_of_another_person_is_confirmed(exam: Exam, photographer: User) -> None:
    data = dicom_jpeg(PatientID="9", PatientName="Hopper^Grace", PatientBirthDate="19061209")
    with pytest.raises(DicomOfOtherPatient) as caught:
        attach(exam, photographer, data, laterality="OD")
    assert "medical record number; name; birth date" in str(caught.value)
    assert not [text for text in ("Hopper", "1906", "Lovelace") if text in str(caught.value)]
    assert not FundusImage.objects.exists()
    image = attach(exam, photographer, data, answers=Answers(confirmed=["dicom_other_patient"]))
    assert event_of(image)["dicom_other_patient"] is True


def test_a_confirmation_that_no_question_needed_is_not_kept(exam: Exam, photographer: User) -> None:
    answers = Answers(confirmed=["dicom_other_patient", "dicom_other_eye"])
    image = attach(exam, photographer, dicom_jpeg(), answers=answers)
    assert not {"dicom_other_patient", "dicom_other_eye"} & set(event_of(image))


def test_a_jpeg_and_the_dicom_file_of_it_are_one_picture(exam: Exam, photographer: User) -> None:
    jpeg = photo_bytes(size=(480, 360), seed=3)
    attach(exam, photographer, jpeg, laterality="OD")
    with pytest.raises(PictureOfOtherEye):
        attach(exam, photographer, dicom_jpeg(jpeg, ImageLaterality="L"))
