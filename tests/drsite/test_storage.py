"""Photographs in S3-compatible storage are taken in, graded, shown and deleted as those in a folder are."""

import os
import socket
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.test import Client
from django.urls import reverse
from PIL import Image

from screening.health import checks
from screening.models import Exam, FundusImage, Grading, User
from screening.services.gradings import run_grading
from screening.services.images import attach_image
from tests.builders import FakeGrader, photo_bytes
from tests.screening.factories import ExamFactory

BUCKET = "photographs"
START_S = 120
KEYS = {"access_key": "tests", "secret_key": "tests-only"}


@pytest.fixture(scope="module")
def s3_address() -> Iterator[str]:
    """An S3 on this machine, in a process of its own: what it holds is not counted as our memory."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert server.poll() is None, "the S3 of the tests ended"
            assert time.monotonic() < deadline, f"no S3 within {START_S} s"
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(START_S)


def use_s3(settings: Any, address: str) -> None:
    options = {"bucket_name": BUCKET, "endpoint_url": address, "region_name": "us-east-1", **KEYS}
    photographs = {"BACKEND": "drsite.storage.PhotographStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": photographs}


@pytest.fixture
def bucket(s3_address: str, settings: Any) -> Any:
    """An empty bucket that photographs go to."""
    s3 = boto3.resource(
        "s3",
        endpoint_url=s3_address,
        region_name="us-east-1",
        aws_access_key_id=KEYS["access_key"],
        aws_secret_access_key=KEYS["secret_key"],
    )
    bucket = s3.create_bucket(Bucket=BUCKET)
    use_s3(settings, s3_address)
    yield bucket
    bucket.objects.all().delete()
    bucket.delete()


@pytest.fixture
def exam(site: Any, photographer: User, transactional_db: None) -> Exam:
    return ExamFactory(patient__site=site, opened_by=photographer)


def names_in(bucket: Any) -> list[str]:
    return [one.key for one in bucket.objects.all()]


def attach(exam: Exam, data: bytes, by: User) -> FundusImage:
    return attach_image(exam=exam, upload=BytesIO(data), laterality="OD", by=by)


def test_a_photograph_is_stored_graded_and_shown(
    bucket: Any, exam: Exam, photographer: User, fake_grader: FakeGrader, client: Client
) -> None:
    data = photo_bytes(size=(800, 600))
    image = attach(exam, data, photographer)
    assert names_in(bucket) == [image.file.name]
    stored = bucket.Object(image.file.name).get()["Body"].read()

    run_grading(grading_id=image.gradings.get().pk)
    assert image.gradings.get().status == Grading.Status.DONE
    assert fake_grader.photos == [stored]

    client.force_login(photographer)
    whole = client.get(reverse("screening:image-photo", args=[image.pk]))
    assert (whole.status_code, whole["Content-Type"]) == (200, "image/jpeg")
    assert b"".join(whole.streaming_content) == stored  # type: ignore[attr-defined]
    small = client.get(reverse("screening:image-thumbnail", args=[image.pk]))
    with Image.open(BytesIO(small.content)) as picture:
        assert max(picture.size) == 640


def test_a_photograph_that_is_gone_fails_visibly_and_is_not_found(
    bucket: Any, exam: Exam, photographer: User, client: Client
) -> None:
    image = attach(exam, photo_bytes(), photographer)
    bucket.Object(image.file.name).delete()
    run_grading(grading_id=image.gradings.get().pk)
    assert image.gradings.get().failure_code == Grading.FailureCode.FILE_MISSING
    client.force_login(photographer)
    for page in ("screening:image-photo", "screening:image-thumbnail"):
        assert client.get(reverse(page, args=[image.pk])).status_code == 404


def test_a_bucket_that_is_away_loses_no_grading(
    bucket: Any, exam: Exam, photographer: User, settings: Any, s3_address: str
) -> None:
    image = attach(exam, photo_bytes(), photographer)
    use_s3(settings, "http://127.0.0.1:1")
    run_grading(grading_id=image.gradings.get().pk)
    assert image.gradings.get().status == Grading.Status.QUEUED
    use_s3(settings, s3_address)
    run_grading(grading_id=image.gradings.get().pk)
    assert image.gradings.get().status == Grading.Status.DONE


def test_an_upload_that_fails_leaves_nothing_in_the_bucket(
    bucket: Any, exam: Exam, photographer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_kwargs: Any) -> None:
        raise RuntimeError("the power fails")

    monkeypatch.setattr("screening.services.images.gradings.queue_grading", fail)
    with pytest.raises(RuntimeError):
        attach(exam, photo_bytes(), photographer)
    assert names_in(bucket) == []
    assert not FundusImage.objects.exists()


def test_objects_are_private(bucket: Any, exam: Exam, photographer: User) -> None:
    image = attach(exam, photo_bytes(), photographer)
    grants = bucket.Object(image.file.name).Acl().grants
    assert not any("AllUsers" in str(grant) for grant in grants)


def test_a_large_photograph_is_never_in_memory_as_a_whole(bucket: Any) -> None:
    n_bytes = 24 * 1024 * 1024
    content = ContentFile(os.urandom(n_bytes))
    default_storage.exists("photos/aa/nothing")  # loads the client, which is larger than a photograph
    tracemalloc.start()
    try:
        name = default_storage.save("photos/aa/large.bin", content)
        stored_peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        with default_storage.open(name) as file:
            n_read = sum(len(chunk) for chunk in file.chunks())
        read_peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (default_storage.size(name), n_read) == (n_bytes, n_bytes)
    assert stored_peak < n_bytes, f"{stored_peak:,} bytes while storing"
    assert read_peak < n_bytes / 2, f"{read_peak:,} bytes while reading"


def test_while_a_photograph_is_stored_one_copy_of_it_is_in_memory(
    exam: Exam, photographer: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = tmp_path / "sent.png"
    sent.write_bytes(photo_bytes("PNG", (1600, 1600)))
    n_bytes, held = sent.stat().st_size, []
    save = FileSystemStorage.save

    def note_and_save(self: FileSystemStorage, *args: Any, **kwargs: Any) -> str:
        held.append(tracemalloc.get_traced_memory()[0])
        return str(save(self, *args, **kwargs))

    monkeypatch.setattr(FileSystemStorage, "save", note_and_save)
    with sent.open("rb") as file:
        tracemalloc.start()
        try:
            attach_image(exam=exam, upload=file, laterality="OD", by=photographer)
        finally:
            tracemalloc.stop()
    assert n_bytes > 7_000_000
    assert len(held) == 1
    assert n_bytes <= held[0] < 1.5 * n_bytes, f"{held[0]:,} bytes for a file of {n_bytes:,}"


def test_readiness_asks_for_the_bucket(bucket: Any, settings: Any, s3_address: str) -> None:
    assert checks.check_storage() == "bucket photographs"
    options = {**settings.STORAGES["default"]["OPTIONS"], "bucket_name": "nowhere"}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    with pytest.raises(checks.HealthCheckError, match=r"bucket nowhere cannot be used \(404\)"):
        checks.check_storage()


def test_storage_that_is_away_gives_the_page_try_again(
    settings: Any, exam: Exam, photographer: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        use_s3(settings, f"http://127.0.0.1:{closed.getsockname()[1]}")
        monkeypatch.setattr("time.sleep", lambda _s: None)  # between the tries
        client.force_login(photographer)
        client.raise_request_exception = False
        upload = {"laterality": "OD", "field": "macula", "photo": BytesIO(photo_bytes())}
        answer = client.post(
            reverse("screening:exam-images", args=[exam.pk]), upload, headers={"Accept": "application/json"}
        )
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert int(answer["Retry-After"]) > 0
    assert not FundusImage.objects.exists()
