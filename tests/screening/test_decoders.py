"""Page, API and worker open no file themselves, and say what to do if a decoder ends or is busy."""

import errno
import subprocess
import sys

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ml.errors import DecoderUnavailable
from ml.serving.decoders import decoders, pool
from ml.serving.files.rejections import InvalidFile
from screening.models import Exam, FundusImage, Grading, User
from screening.services import gradings
from tests.builders import FakeGrader, photo_bytes
from tests.screening.api.client import ApiClient
from tests.screening.factories import ExamFactory, GradingFactory, PatientFactory
from tests.screening.views.pages import url


@pytest.fixture
def exam(photographer: User) -> Exam:
    return ExamFactory(patient=PatientFactory(site=photographer.memberships.get().site))


@pytest.fixture
def as_photographer(photographer: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(photographer)
    return client


def no_memory() -> None:
    raise OSError(errno.ENOMEM, "no memory")


def upload(client: Client, exam: Exam) -> int:
    photo = SimpleUploadedFile("photo.jpg", photo_bytes())
    fields = {"photo": photo, "laterality": "OD"}
    return client.post(url("exam-images", exam.pk), fields, headers={"Accept": "application/json"}).status_code


def test_a_site_decodes_in_child_processes() -> None:
    program = (
        "import django; django.setup()\n"
        "from ml.serving.decoders import decoders\n"
        "print(decoders._pool is not None and decoders._pool.n_children)"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "drsite.settings", "DEBUG": "true", "ORT_DISABLE_TELEMETRY": "1"}
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "2"


@pytest.mark.usefixtures("decoder_processes")
def test_no_file_is_opened_by_the_web_server(
    as_photographer: Client, photographer: User, exam: Exam, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = ApiClient(photographer)
    monkeypatch.setattr("PIL.Image.open", lambda *_args, **_options: pytest.fail("a file was opened"))
    assert upload(as_photographer, exam) == 201
    assert api.send(f"exams/{exam.pk}/images", photo_bytes("PNG"), laterality="OD").status == 201
    assert api.send("predict").status == 200
    image = exam.images.all()[0]
    assert as_photographer.get(url("image-thumbnail", image.pk)).status_code == 200


def test_a_file_that_ends_its_decoder_is_refused_and_leaves_nothing(
    as_photographer: Client, photographer: User, exam: Exam, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_data: bytes) -> None:
        raise InvalidFile("over_limits")

    monkeypatch.setattr(decoders, "clean", refuse)
    response = ApiClient(photographer).send(f"exams/{exam.pk}/images", laterality="OD")
    assert (response.status, response.body["code"]) == (400, "over_limits")
    assert "normal JPEG or PNG" in response.body["message"]
    assert upload(as_photographer, exam) == 400
    assert not FundusImage.objects.exists()


@pytest.mark.usefixtures("decoder_processes")
def test_without_a_free_decoder_a_request_is_503(
    as_photographer: Client, photographer: User, exam: Exam, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MAX_WAIT_S", 0.0)
    monkeypatch.setattr(pool, "Child", no_memory)
    response = ApiClient(photographer).send(f"exams/{exam.pk}/images", laterality="OD")
    assert (response.status, response.body["code"]) == (503, "busy")
    assert int(response.headers["Retry-After"]) > 0
    assert upload(as_photographer, exam) == 503


@pytest.mark.django_db
def test_a_grading_waits_while_no_decoder_is_available(fake_grader: FakeGrader) -> None:
    grading = GradingFactory(status=Grading.Status.QUEUED)
    fake_grader.error = DecoderUnavailable()
    for _ in range(gradings.MAX_ATTEMPTS):
        grading.refresh_from_db()
        assert grading.status == Grading.Status.QUEUED
        gradings.run_grading(grading_id=grading.pk)
    grading.refresh_from_db()
    assert (grading.status, grading.failure_code) == (Grading.Status.FAILED, "unexpected")
