"""DICOM files in the API."""

import pytest

from ml.vocabulary import Laterality
from screening.models import AuditEvent, Exam, FundusImage, Site
from tests.builders import photo_bytes
from tests.dicom_files import PERSON, coded_field, dicom_jpeg
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.factories import ExamFactory, PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def exam(site: Site) -> Exam:
    person = {"mrn": PERSON["PatientID"], "family_name": "Lovelace", "given_name": "Ada", "born_on": "1960-12-10"}
    return ExamFactory(patient=PatientFactory(site=site, **person))


def test_a_dicom_file_needs_no_other_field(client: ApiClient, exam: Exam) -> None:
    data = dicom_jpeg(ImageLaterality="L", PupilDilated="YES", RelativeImagePositionCodeSequence=coded_field("111901"))
    image = client.send(f"exams/{exam.pk}/images", data)
    assert image.status == 201
    facts = {name: image.body[name] for name in ("laterality", "field", "pupil", "captured_on", "format")}
    assert facts == {
        "laterality": "OS",
        "field": "disc",
        "pupil": "dilated",
        "captured_on": "2026-03-01",
        "format": "JPEG",
    }
    assert (image.body["study_uid"], image.body["instance_uid"]) == ("2.25.2", "2.25.1")
    assert client.send(f"exams/{exam.pk}/images", data).status == 200


@pytest.mark.parametrize("data", [photo_bytes(), dicom_jpeg(ImageLaterality="B")], ids=["JPEG", "both eyes"])
def test_an_eye_that_the_file_does_not_state_is_required(client: ApiClient, exam: Exam, data: bytes) -> None:
    refused = client.send(f"exams/{exam.pk}/images", data)
    assert_is_error(refused, 400, "invalid")
    assert set(refused.body["fields"]) == {"laterality"}
    assert not FundusImage.objects.exists()


def test_questions_about_a_dicom_file_are_confirmed_one_after_the_other(client: ApiClient, exam: Exam) -> None:
    data, path = dicom_jpeg(PatientID="9", PatientName="Hopper^Grace"), f"exams/{exam.pk}/images"
    question = client.send(path, data, laterality="OS")
    assert_is_error(question, 409, "dicom_other_patient")
    assert set(question.body["fields"]) == {"photo"}
    question = client.send(path, data, laterality="OS", confirm=question.body["confirm"])
    assert_is_error(question, 409, "dicom_other_eye")
    assert set(question.body["fields"]) == {"laterality"}
    assert question.body["confirm"] == ["dicom_other_eye", "dicom_other_patient"]
    assert client.send(path, data, laterality="OS", confirm=question.body["confirm"]).status == 201


def test_a_refused_kind_is_named(client: ApiClient, exam: Exam) -> None:
    data = dicom_jpeg(SOPClassUID="1.2.840.10008.5.1.4.1.1.77.1.5.4")
    assert_is_error(client.send(f"exams/{exam.pk}/images", data, laterality="OD"), 400, "dicom_oct")


def test_the_suggestion_of_the_eye_is_that_of_the_file(client: ApiClient, exam: Exam) -> None:
    data = dicom_jpeg(RelativeImagePositionCodeSequence=coded_field("111901"))
    suggested = client.send(f"exams/{exam.pk}/suggest-eye", data).body
    assert suggested == {
        "laterality_suggested": Laterality.RIGHT,
        "laterality_confidence": None,
        "is_from_file": True,
        "field_suggested": "disc",
    }
    event = AuditEvent.objects.get(verb=AuditEvent.Verb.EYE_SUGGESTED)
    assert event.data == {"source": "dicom", "laterality": "OD"}
    recognised = client.send(f"exams/{exam.pk}/suggest-eye", photo_bytes()).body
    assert (recognised["is_from_file"], recognised["field_suggested"]) == (False, "")


def test_a_prediction_takes_a_dicom_file(client: ApiClient) -> None:
    assert client.send("predict", dicom_jpeg()).status == 200
