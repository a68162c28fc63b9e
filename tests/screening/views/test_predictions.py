"""Try a photograph: shown, not stored."""

import base64
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from ml.errors import GradingError
from screening.models import FundusImage, Grading, User
from tests.builders import FakeGrader, make_prediction, photo_bytes

ADDRESS = reverse("screening:predict")


def send(client: Client, data: bytes, **headers: str) -> Any:
    return client.post(ADDRESS, {"photo": SimpleUploadedFile("Jane Doe.jpg", data)}, headers=headers)


def test_the_prediction_and_the_heatmap_are_shown_and_nothing_is_stored(photographer: User, client: Client) -> None:
    client.force_login(photographer)
    text = send(client, photo_bytes()).content.decode()
    assert "Moderate non-proliferative" in text
    assert 'id="heatmap-prediction"' in text
    assert "Jane" not in text
    assert not FundusImage.objects.exists()
    assert not Grading.objects.exists()


def test_the_picture_travels_inside_the_page(photographer: User, client: Client) -> None:
    client.force_login(photographer)
    picture = send(client, photo_bytes()).context["picture"]
    assert base64.b64decode(picture)[:2] == b"\xff\xd8"


@pytest.mark.parametrize("grade", [None, 0])
def test_without_a_lesion_grade_there_is_no_heatmap(
    grade: int | None, fake_grader: FakeGrader, photographer: User, client: Client
) -> None:
    fake_grader.prediction = make_prediction(grade)
    client.force_login(photographer)
    assert "heatmap-prediction" not in send(client, photo_bytes()).content.decode()


def test_an_ungradable_photograph_is_never_shown_as_grade_0(
    fake_grader: FakeGrader, photographer: User, client: Client
) -> None:
    fake_grader.prediction = make_prediction(None)
    client.force_login(photographer)
    text = send(client, photo_bytes()).content.decode()
    assert "Not gradable" in text
    assert "No apparent retinopathy" not in text


@pytest.mark.parametrize(
    ("data", "message"), [(b"a text", "This file is not a photograph"), (b"", "This file is empty")]
)
def test_a_file_that_is_no_photograph_gets_a_sentence(
    data: bytes, message: str, photographer: User, client: Client
) -> None:
    client.force_login(photographer)
    response = send(client, data)
    assert response.status_code == 422
    assert message in response.content.decode()


def test_a_failure_of_the_grader_is_a_sentence_and_not_a_grade(
    fake_grader: FakeGrader, photographer: User, client: Client
) -> None:
    fake_grader.error = GradingError("The photograph could not be read.")
    client.force_login(photographer)
    text = send(client, photo_bytes()).content.decode()
    assert "The photograph could not be read." in text
    assert "grade 0 of 4" not in text


def test_htmx_gets_the_result_alone(photographer: User, client: Client) -> None:
    client.force_login(photographer)
    assert "<html" not in send(client, photo_bytes(), **{"HX-Request": "true"}).content.decode()


def test_a_flag_on_a_low_grade_is_explained(fake_grader: FakeGrader, photographer: User, client: Client) -> None:
    fake_grader.prediction = make_prediction(0, p_referable=0.6, is_referable=True)
    client.force_login(photographer)
    assert "counts as referable until a clinician has read it" in send(client, photo_bytes()).content.decode()
