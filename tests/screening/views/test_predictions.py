"""One photograph graded without being stored."""

import base64
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ml.errors import GradingError
from ml.vocabulary import QualityLevel, ServedModel
from screening.models import FundusImage, Grading
from tests.builders import FakeGrader, make_prediction, photo_bytes
from tests.screening.views.pages import HTMX, text_of, url


def upload(client: Client, data: bytes | None = None, *, headers: dict[str, str] | None = None) -> Any:
    file = SimpleUploadedFile("Jane Doe.jpg", photo_bytes() if data is None else data)
    return client.post(url("predict"), {"photo": file}, headers=headers)


def test_the_prediction_is_displayed_and_not_stored(as_photographer: Client) -> None:
    response = upload(as_photographer)
    text = text_of(response)
    assert "Moderate non-proliferative" in text
    assert 'id="heatmap-prediction"' in text
    assert "Jane" not in text
    assert base64.b64decode(response.context["photo_url"].removeprefix("data:image/jpeg;base64,"))[:2] == b"\xff\xd8"
    assert not FundusImage.objects.exists()
    assert not Grading.objects.exists()


@pytest.mark.parametrize(
    ("grade", "expected", "refused"),
    [
        (None, "Not gradable", "No apparent retinopathy"),
        (0, "There is no heatmap of the grade for grade 0", "Not gradable"),
    ],
)
def test_without_a_lesion_grade_there_is_no_heatmap(
    grade: int | None, expected: str, refused: str, fake_grader: FakeGrader, as_photographer: Client
) -> None:
    fake_grader.prediction = make_prediction(grade)
    text = text_of(upload(as_photographer))
    assert expected in text
    assert refused not in text
    assert "heatmap-prediction" not in text


def test_a_negative_of_limited_quality_is_marked(fake_grader: FakeGrader, as_photographer: Client) -> None:
    fake_grader.prediction = make_prediction(0, quality_level=QualityLevel.USABLE, quality_reasons=("blurred",))
    text = text_of(upload(as_photographer))
    assert "Usable with limits" in text
    assert "Small lesions could be missed: " in text


@pytest.mark.parametrize(
    ("data", "message"), [(b"a text", "This file is not a photograph"), (b"", "The file is empty")]
)
def test_it_rejects_a_file_that_is_no_photograph(data: bytes, message: str, as_photographer: Client) -> None:
    response = upload(as_photographer, data)
    assert response.status_code == 422
    assert message in text_of(response)


def test_a_failure_of_the_grader_is_not_a_grade(fake_grader: FakeGrader, as_photographer: Client) -> None:
    fake_grader.error = GradingError("The photograph could not be read.")
    text = text_of(upload(as_photographer))
    assert "The photograph could not be read." in text
    assert "grade 0 of 4" not in text


def test_htmx_gets_the_result_alone(as_photographer: Client) -> None:
    assert "<html" not in text_of(upload(as_photographer, headers=HTMX))


def test_a_flag_on_a_low_grade_is_explained(fake_grader: FakeGrader, as_photographer: Client) -> None:
    fake_grader.prediction = make_prediction(0, p_referable=0.6, is_referable=True)
    assert "counts as referable until a clinician has read it" in text_of(upload(as_photographer))


@pytest.mark.parametrize(
    ("model", "label"), [("", "Fast model"), ("fast", "Fast model"), ("accurate", "Accurate model")]
)
def test_the_model_is_chosen_and_named(
    as_photographer: Client, graders: dict[ServedModel, FakeGrader], model: str, label: str
) -> None:
    page = text_of(as_photographer.get(url("predict")))
    assert '<option value="fast" selected>' in page
    assert '<option value="accurate">' in page
    file = SimpleUploadedFile("a.jpg", photo_bytes())
    text = text_of(as_photographer.post(url("predict"), {"photo": file, "model": model}))
    assert f"{label} ({model or 'fast'}-1.0.0+00000000)" in text
    assert len(graders[ServedModel(model or "fast")].photos) == 1


def test_an_unknown_model_is_refused(as_photographer: Client, graders: dict[ServedModel, FakeGrader]) -> None:
    file = SimpleUploadedFile("a.jpg", photo_bytes())
    response = as_photographer.post(url("predict"), {"photo": file, "model": "slow"})
    assert response.status_code == 422
    assert "“slow” is not a model of this installation. Choose one of: accurate, fast." in text_of(response)
    assert not any(grader.photos for grader in graders.values())
