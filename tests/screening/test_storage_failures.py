"""The disk is full or read-only: 503 with a sentence, no row without a file and no file without a row."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from screening.models import AuditEvent, Exam, FundusImage, Grading, Site, User
from screening.services import new_images
from screening.services.images import attach_image
from tests.builders import photo_bytes
from tests.screening.factories import ExamFactory

SENTENCE = "the storage is full or cannot be used. Nothing was changed."
MAX_FILE_BYTES = 5000


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can have more than MAX_FILE_BYTES: writing stops in the middle of a photograph."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only_disk() -> Iterator[None]:
    """No file can be opened for writing."""
    real = os.open

    def refuse(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        if flags & os.O_CREAT and "media" in str(path):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real(path, flags, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", refuse)
        yield


@pytest.fixture
def exam(site: Site, photographer: User) -> Exam:
    return ExamFactory(patient__site=site, opened_by=photographer)


@pytest.fixture
def page(client: Client, photographer: User) -> Client:
    client.force_login(photographer)
    client.raise_request_exception = False
    return client


def assert_nothing_is_left(media_root: Path) -> None:
    assert [path for path in media_root.rglob("*") if path.is_file()] == []
    assert not FundusImage.objects.exists()
    assert not Grading.objects.exists()
    assert not AuditEvent.objects.filter(verb=AuditEvent.Verb.IMAGE_ATTACHED).exists()


@pytest.mark.parametrize("fault", [full_disk, read_only_disk])
def test_an_upload_without_storage_is_503_in_the_format_of_the_caller(
    fault: Any, page: Client, exam: Exam, media_root: Path
) -> None:
    def send(path: str, accept: str) -> Any:
        form = {"photo": BytesIO(photo_bytes()), "laterality": "OD", "field": "macula"}
        with fault():
            return page.post(path, form, headers={"Accept": accept})

    address = reverse("screening:exam-images", args=[exam.pk])
    response = send(address, "text/html")
    assert (response.status_code, SENTENCE in response.content.decode()) == (503, True)
    assert response["Retry-After"]
    for path in (address, f"/api/v1/exams/{exam.pk}/images"):
        response = send(path, "application/json")
        assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")
        assert SENTENCE in response.json()["message"]
        assert response["Retry-After"]
    assert_nothing_is_left(media_root)


def test_a_large_upload_that_fills_the_folder_of_temporary_files_is_503(page: Client, exam: Exam) -> None:
    form = {"photo": BytesIO(b"\xff\xd8" + bytes(3_000_000)), "laterality": "OD", "field": "macula"}
    with full_disk():
        response = page.post(reverse("screening:exam-images", args=[exam.pk]), form)
    assert (response.status_code, SENTENCE in response.content.decode()) == (503, True)


def lose_connection_at_commit(monkeypatch: pytest.MonkeyPatch, *, is_committed: bool) -> None:
    """The connection is lost at the commit; the server has carried it out, or not."""
    real = connection._commit  # type: ignore[attr-defined]  # private

    def commit() -> None:
        if not is_committed:
            connection.connection.rollback()
        real()
        monkeypatch.undo()
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(connection, "_commit", commit)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_committed", [True, False])
def test_a_connection_that_is_lost_at_the_commit_leaves_row_and_file_or_neither(
    is_committed: bool, exam: Exam, photographer: User, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = new_images._store_rows

    def store_and_lose(*arguments: Any) -> Any:
        lose_connection_at_commit(monkeypatch, is_committed=is_committed)
        return store(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(new_images, "_store_rows", store_and_lose)
        with pytest.raises(OperationalError):
            attach_image(exam=exam, upload=BytesIO(photo_bytes()), laterality="OD", by=photographer)
    assert FundusImage.objects.exists() == is_committed
    files = [str(path.relative_to(media_root)) for path in media_root.rglob("*") if path.is_file()]
    assert files == list(FundusImage.objects.values_list("file", flat=True))
