"""Questions about a photograph on the exam page: the file and the entries stay until they are answered."""

import hashlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from screening.models import Exam, FundusImage, Site
from tests.builders import photo_bytes
from tests.copies import SAME_PICTURE, eye_file, synthetic_photo
from tests.dicom_files import dicom_jpeg
from tests.screening.factories import ExamFactory, PatientFactory
from tests.screening.views.pages import JSON, text_of, url

COPY = SAME_PICTURE["mirrored"]


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient=PatientFactory(site=site, family_name="Hopper"))


@pytest.fixture
def other_exam(site: Site) -> Exam:
    return ExamFactory(patient=PatientFactory(site=site))


def upload(client: Client, exam: Exam, data: bytes, *, headers: Any = JSON, **fields: Any) -> Any:
    file = SimpleUploadedFile("eye.jpg", data)
    return client.post(url("exam-images", exam.pk), {"photo": file, "laterality": "OD", **fields}, headers=headers)


def test_a_script_receives_the_question_about_a_picture_of_another_patient(
    exam: Exam, other_exam: Exam, as_photographer: Client
) -> None:
    upload(as_photographer, exam, eye_file())
    response = upload(as_photographer, other_exam, COPY(synthetic_photo()))
    details = response.json()
    assert (response.status_code, details["code"], details["confirm"]) == (409, "other_patient", "other_patient")
    assert details["url"] == url("exam-detail", exam.pk)
    assert "Hopper" not in response.content.decode()
    response = upload(
        as_photographer, other_exam, COPY(synthetic_photo()), confirm="other_patient", reason="Registered twice"
    )
    assert response.status_code == 201
    assert "Registered twice" in text_of(as_photographer.get(url("exam-detail", other_exam.pk)))


def test_the_plain_form_keeps_the_entries(exam: Exam, other_exam: Exam, as_photographer: Client) -> None:
    upload(as_photographer, exam, eye_file())
    fields = {"laterality": "OS", "field": "disc", "captured_on": "2016-02-03"}
    response = upload(as_photographer, other_exam, COPY(synthetic_photo()), headers=None, **fields)
    text = text_of(response)
    assert response.status_code == 409
    assert "more than a year ago" in text
    assert 'name="confirm" value="capture_date_old"' in " ".join(text.split())
    assert 'value="2016-02-03"' in text
    answers: dict[str, Any] = {"confirm": ["capture_date_old"]}
    response = upload(as_photographer, other_exam, COPY(synthetic_photo()), headers=None, **fields, **answers)
    assert "in the exam of another patient" in text_of(response)
    assert 'type="hidden" name="confirm" value="capture_date_old"' in " ".join(text_of(response).split())
    answers = {"confirm": ["capture_date_old", "other_patient"], "reason": "Registered twice"}
    response = upload(as_photographer, other_exam, COPY(synthetic_photo()), headers=None, **fields, **answers)
    assert response.status_code == 302
    image = FundusImage.objects.get(exam=other_exam)
    assert (image.laterality, image.field, str(image.captured_on)) == ("OS", "disc", "2016-02-03")


def test_a_date_is_questioned_and_shown(exam: Exam, as_photographer: Client) -> None:
    details = upload(as_photographer, exam, photo_bytes(), captured_on="2090-01-01").json()
    assert (details["code"], details["captured_on"]) == ("capture_date_future", "2090-01-01")
    assert "confirm" not in details
    details = upload(as_photographer, exam, photo_bytes(), captured_on="2020-01-01").json()
    assert (details["confirm"], details["captured_on"]) == ("capture_date_old", "2020-01-01")
    upload(as_photographer, exam, photo_bytes(), captured_on="2020-01-01", confirm="capture_date_old")
    assert "Taken on 1 Jan 2020" in text_of(as_photographer.get(url("exam-detail", exam.pk)))


def test_a_dicom_file_of_another_person_and_eye_raises_two_questions(exam: Exam, as_photographer: Client) -> None:
    data = dicom_jpeg(PatientName="Lovelace^Ada", ImageLaterality="L")
    question = upload(as_photographer, exam, data)
    assert (question.status_code, question.json()["confirm"]) == (409, "dicom_other_patient")
    page = text_of(upload(as_photographer, exam, data, headers=None, confirm=["dicom_other_patient"]))
    assert "The DICOM file states that this is the left eye." in page
    assert "The eye that I chose is right" in page
    assert 'name="confirm" value="dicom_other_patient"' in " ".join(page.split())
    confirmed = ["dicom_other_patient", "dicom_other_eye"]
    assert upload(as_photographer, exam, data, confirm=confirmed).status_code == 201
    assert FundusImage.objects.get().laterality == "OD"


def test_an_answer_about_one_file_is_none_about_another(exam: Exam, as_photographer: Client) -> None:
    one, other = (dicom_jpeg(photo_bytes(seed=seed), PatientName="Lovelace^Ada") for seed in (1, 2))
    page = " ".join(text_of(upload(as_photographer, exam, one, headers=None)).split())
    answered = {"of_file": hashlib.sha256(one).hexdigest(), "confirm": ["dicom_other_patient"], "writing": "keep"}
    assert f'name="of_file" value="{answered["of_file"]}"' in page
    response = upload(as_photographer, exam, other, headers=None, **answered)
    page = " ".join(text_of(response).split())
    assert response.status_code == 409
    assert "may be of another patient" in page
    assert f'name="of_file" value="{hashlib.sha256(other).hexdigest()}"' in page
    assert '<input type="hidden" name="confirm"' not in page
    assert upload(as_photographer, exam, one, **answered).status_code == 201
    assert FundusImage.objects.get().laterality == "OD"
