"""Writing outside the retina of an uploaded photograph: a person decides whether it is blanked."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from screening.models import Exam, FundusImage, Site, User
from screening.photos.validation import validate
from screening.photos.writing import blanked, has_writing
from tests.cases.composites import eye, with_text
from tests.cases.conftest import Record
from tests.screening.api.client import ApiClient, assert_is_error
from tests.screening.factories import ExamFactory

JSON = {"Accept": "application/json"}


def file(*, is_written: bool = True, format: str = "JPEG") -> bytes:  # noqa: A002  # Pillow's name
    photo = with_text(eye(1), ((4, 4), "BYRON Ada")) if is_written else eye(1)
    written = BytesIO()
    photo.copy().save(written, format, **({"quality": 92} if format == "JPEG" else {}))
    return written.getvalue()


@pytest.fixture
def exam(site: Site) -> Exam:
    return ExamFactory(patient__site=site)


def corner(image: FundusImage) -> float:
    """Mean level of the corner with the name, as stored."""
    with image.file.open("rb") as stored:
        return float(np.asarray(Image.open(stored))[:24, :100].mean())


def upload(client: Client, exam: Exam, **data: str) -> Any:
    photo = SimpleUploadedFile("a.jpg", file())
    return client.post(f"/exams/{exam.pk}/images/", {"photo": photo, "laterality": "OD", **data}, headers=JSON)


def test_the_page_stores_nothing_until_a_person_decides(
    exam: Exam, client: Client, photographer: User, record_case: Record
) -> None:
    client.force_login(photographer)
    question = upload(client, exam)
    record_case("writing outside the retina, page", question.json()["message"])
    assert (question.status_code, question.json()["code"]) == (409, "writing_outside")
    assert not FundusImage.objects.exists()
    assert upload(client, exam, writing="blank").status_code == 201
    image = FundusImage.objects.get()
    assert (image.writing, corner(image)) == ("blanked", 0)


def test_the_page_keeps_the_writing_if_a_person_decides_so(exam: Exam, client: Client, photographer: User) -> None:
    client.force_login(photographer)
    assert upload(client, exam, writing="keep").status_code == 201
    image = FundusImage.objects.get()
    assert image.writing == "kept"
    assert corner(image) > 10
    assert "Something is written outside the retina" in client.get(f"/exams/{exam.pk}/").content.decode()


def test_without_a_script_the_page_shows_both_answers(exam: Exam, client: Client, photographer: User) -> None:
    client.force_login(photographer)
    photo = SimpleUploadedFile("a.jpg", file())
    page = client.post(f"/exams/{exam.pk}/images/", {"photo": photo, "laterality": "OD"})
    assert page.status_code == 409
    for value in ("blank", "keep"):
        assert f'name="writing" value="{value}"' in " ".join(page.content.decode().split())


@pytest.mark.parametrize(
    ("sent", "stored"), [({}, "kept"), ({"writing": "keep"}, "kept"), ({"writing": "blank"}, "blanked")]
)
def test_the_api_keeps_or_blanks_it(
    sent: dict[str, str], stored: str, exam: Exam, photographer: User, record_case: Record
) -> None:
    answer = ApiClient(photographer).send(f"exams/{exam.pk}/images", file(), laterality="OD", **sent)
    record_case(f"writing outside the retina, API, {sent or 'nothing chosen'}", str(answer.body.get("writing")))
    assert (answer.status, answer.body["writing"]) == (201, stored)
    assert (corner(FundusImage.objects.get()) == 0) is (stored == "blanked")


def test_the_api_returns_the_question_on_request(exam: Exam, photographer: User) -> None:
    answer = ApiClient(photographer).send(f"exams/{exam.pk}/images", file(), laterality="OD", writing="question")
    assert_is_error(answer, 409, "writing_outside")
    assert not FundusImage.objects.exists()


def test_a_photograph_without_writing_is_stored_as_it_is(exam: Exam, client: Client, photographer: User) -> None:
    client.force_login(photographer)
    data = file(is_written=False)
    photo = SimpleUploadedFile("a.jpg", data)
    answer = client.post(f"/exams/{exam.pk}/images/", {"photo": photo, "laterality": "OD"}, headers=JSON)
    assert answer.status_code == 201
    image = FundusImage.objects.get()
    with image.file.open("rb") as stored:
        assert (image.writing, stored.read()) == ("none", validate(data).cleaned)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_the_retina_stays_when_the_rest_is_blanked(format: str) -> None:  # noqa: A002
    photo = validate(file(format=format))
    assert has_writing(photo)
    clean = blanked(photo)
    assert not has_writing(clean)
    before, after = (np.asarray(Image.open(BytesIO(each.cleaned)).convert("RGB"), int) for each in (photo, clean))
    assert np.abs(before - after)[60:420, 60:420].mean() < 1
