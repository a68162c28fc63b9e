"""Photographs in S3-compatible storage are stored, graded, shown and deleted like those in a folder."""

import os
import subprocess
import sys
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
from tests.screening.processes import DEADLINE_S, free_port, is_open, wait_until

BUCKET = "photographs"
KEYS = {"access_key": "tests", "secret_key": "tests-only"}


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """URL of an S3 server in another process, so that its memory is not measured."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: is_open(port), "the S3 server started", server)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(DEADLINE_S)


def use_s3(settings: Any, url: str, bucket: str = BUCKET) -> None:
    options = {"bucket_name": bucket, "endpoint_url": url, "region_name": "us-east-1", **KEYS}
    storage = {"BACKEND": "drsite.storage.PhotographStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": storage}


@pytest.fixture
def bucket(s3_url: str, settings: Any) -> Any:
    """An empty bucket, which is the default storage."""
    s3 = boto3.resource(
        "s3",
        endpoint_url=s3_url,
        region_name="us-east-1",
        aws_access_key_id=KEYS["access_key"],
        aws_secret_access_key=KEYS["secret_key"],
    )
    bucket = s3.create_bucket(Bucket=BUCKET)
    use_s3(settings, s3_url)
    yield bucket
    bucket.objects.all().delete()
    bucket.delete()


@pytest.fixture
def exam(site: Any, photographer: User, transactional_db: None) -> Exam:
    return ExamFactory(patient__site=site, opened_by=photographer)


@pytest.fixture
def attach(exam: Exam, photographer: User) -> Any:
    return lambda data: attach_image(exam=exam, upload=BytesIO(data), laterality="OD", by=photographer)


def test_a_photograph_is_stored_privately_graded_and_shown(
    bucket: Any, attach: Any, photographer: User, fake_grader: FakeGrader, client: Client
) -> None:
    image = attach(photo_bytes(size=(800, 600)))
    assert [stored.key for stored in bucket.objects.all()] == [image.file.name]
    data = bucket.Object(image.file.name).get()["Body"].read()
    assert "AllUsers" not in str(bucket.Object(image.file.name).Acl().grants)

    run_grading(grading_id=image.gradings.get().pk)
    assert image.gradings.get().status == Grading.Status.DONE
    assert fake_grader.photos == [data]

    client.force_login(photographer)
    photo = client.get(reverse("screening:image-photo", args=[image.pk]))
    assert (photo.status_code, photo["Content-Type"]) == (200, "image/jpeg")
    assert b"".join(photo.streaming_content) == data  # type: ignore[attr-defined]
    thumbnail = client.get(reverse("screening:image-thumbnail", args=[image.pk]))
    with Image.open(BytesIO(thumbnail.content)) as decoded:
        assert max(decoded.size) == 640


def test_a_missing_photograph_fails_visibly_and_is_not_found(
    bucket: Any, attach: Any, photographer: User, client: Client
) -> None:
    image = attach(photo_bytes())
    bucket.Object(image.file.name).delete()
    run_grading(grading_id=image.gradings.get().pk)
    assert image.gradings.get().failure_code == Grading.FailureCode.FILE_MISSING
    client.force_login(photographer)
    for page in ("screening:image-photo", "screening:image-thumbnail"):
        assert client.get(reverse(page, args=[image.pk])).status_code == 404


def test_an_unavailable_bucket_loses_no_grading(bucket: Any, attach: Any, settings: Any, s3_url: str) -> None:
    image = attach(photo_bytes())
    use_s3(settings, "http://127.0.0.1:1")
    run_grading(grading_id=image.gradings.get().pk)
    assert image.gradings.get().status == Grading.Status.QUEUED
    use_s3(settings, s3_url)
    run_grading(grading_id=image.gradings.get().pk)
    assert image.gradings.get().status == Grading.Status.DONE


def test_a_failed_upload_leaves_nothing_in_the_bucket(
    bucket: Any, attach: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("screening.services.new_images.gradings.queue_first_grading", fail)
    with pytest.raises(RuntimeError):
        attach(photo_bytes())
    assert not list(bucket.objects.all())
    assert not FundusImage.objects.exists()


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


def test_one_copy_of_a_photograph_is_in_memory_while_it_is_stored(
    exam: Exam, photographer: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, traced = tmp_path / "photo.png", []
    path.write_bytes(photo_bytes("PNG", (1600, 1600)))
    n_bytes = path.stat().st_size
    save = FileSystemStorage.save

    def trace_and_save(self: FileSystemStorage, *args: Any, **kwargs: Any) -> str:
        traced.append(tracemalloc.get_traced_memory()[0])
        return str(save(self, *args, **kwargs))

    monkeypatch.setattr(FileSystemStorage, "save", trace_and_save)
    with path.open("rb") as file:
        tracemalloc.start()
        try:
            attach_image(exam=exam, upload=file, laterality="OD", by=photographer)
        finally:
            tracemalloc.stop()
    assert n_bytes > 7_000_000
    assert len(traced) == 1
    assert n_bytes <= traced[0] < 1.5 * n_bytes, f"{traced[0]:,} bytes for a file of {n_bytes:,}"


def test_readiness_checks_the_bucket(bucket: Any, settings: Any, s3_url: str) -> None:
    assert checks.check_storage() == "bucket photographs"
    use_s3(settings, s3_url, "missing")
    with pytest.raises(checks.HealthCheckError, match=r"bucket missing cannot be used \(404\)"):
        checks.check_storage()


def test_unavailable_storage_shows_the_page_try_again(
    settings: Any, exam: Exam, photographer: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_s3(settings, f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr("time.sleep", lambda _s: None)  # between the retries of boto3
    client.force_login(photographer)
    client.raise_request_exception = False
    upload = {"laterality": "OD", "field": "macula", "photo": BytesIO(photo_bytes())}
    url = reverse("screening:exam-images", args=[exam.pk])
    response = client.post(url, upload, headers={"Accept": "application/json"})
    assert (response.status_code, response.json()["code"]) == (503, "busy")
    assert int(response["Retry-After"]) > 0
    assert not FundusImage.objects.exists()
